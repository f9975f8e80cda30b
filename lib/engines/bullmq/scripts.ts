/**
 * What happens in one step in Redis. All keys begin with the prefix:
 * - `handled`: up to which second each schedule is handled, by its key
 * - `rows`: the runs that have not ended, as JSON, by id; `started`: of those that have started
 * - `lane:<lane>`: the ids of a lane's rows in order; only the first of them is in BullMQ's queue
 * - `delayed`: ids by the time at which they may start; they are in no lane yet
 * - `history:<job>`: a stream of what has ended; `skips`: each lane's last entry of skipped slots
 * - `pauses`, `beats`, `aborts`, `enqueued`
 */
const COMMON = `
local P, call = KEYS[1], redis.call
local out = { heads = {}, ended = {}, moved = {}, aborts = {}, ready = {}, drops = {} }
local function has(key, field) return call('HEXISTS', P .. key, field) == 1 end
local function rowOf(id) local text = call('HGET', P .. ':rows', id) if text then return cjson.decode(text), text end end
local function listOf(row) return P .. ':lane:' .. row.lane end
local function isPaused(job) return has(':pauses', job) or has(':pauses', '*') end
local function skip(s)
    local known, from, count = call('HGET', P .. ':skips', s.lane), s.first, s.count
    if known then
        local before = cjson.decode(known)
        if before.reason == s.reason and before.last == s.prev then
            call('XDEL', P .. ':history:' .. s.job, before.id)
            from, count = before.first, before.count + count
        end
    end
    local entry = string.format('%s,"reason":%s,"first":%d,"last":%d,"count":%d,"atLeast":%s}', s.past, cjson.encode(s.reason), from, s.last, count, tostring(s.atLeast))
    local id = call('XADD', P .. ':history:' .. s.job, '*', 'past', entry)
    call('HSET', P .. ':skips', s.lane, cjson.encode({ id = id, reason = s.reason, first = from, last = s.last, count = count }))
end
local function skipRow(row, reason)
    skip({ lane = row.lane, job = row.job, past = row.past, prev = row.prev, reason = reason, first = row.slot, last = row.slot, count = 1, atLeast = false })
end
local function leave(row)
    call('HDEL', P .. ':rows', row.id) call('HDEL', P .. ':started', row.id) call('HDEL', P .. ':aborts', row.id) call('ZREM', P .. ':delayed', row.id)
    call('LREM', listOf(row), 1, row.id)
    local head = call('LINDEX', listOf(row), 0)
    local text = head and call('HGET', P .. ':rows', head)
    if text then table.insert(out.heads, text) end
end
local function drop(row, text, reason)
    leave(row)
    if row.origin == 'schedule' then skipRow(row, reason) end
    table.insert(out.ended, { text, reason })
end
local function enter(text, now)
    local row = cjson.decode(text)
    if has(':rows', row.id) or call('EXISTS', P .. ':queue:' .. row.id) == 1 then return end
    if row.runAt > now then call('HSET', P .. ':rows', row.id, text) call('ZADD', P .. ':delayed', row.runAt, row.id) return end
    local holder, fresh, catching, waiting = nil, {}, {}, 0
    for _, id in ipairs(call('LRANGE', listOf(row), 0, -1)) do
        local member, of = rowOf(id)
        if member and has(':started', id) then holder = holder or member
        elseif member then
            waiting = waiting + 1
            if member.catchesUp then table.insert(catching, { member, of }) elseif member.origin == 'schedule' then table.insert(fresh, { member, of }) end
        end
    end
    if row.origin == 'schedule' and row.missed == 'all' and #catching > 0 then text = string.gsub(text, '"catchesUp":false', '"catchesUp":true', 1) row.catchesUp = true end
    if row.overlap == 'allow' and not row.catchesUp then call('HSET', P .. ':rows', row.id, text) table.insert(out.heads, text) return end
    local overlaps, supersedes, replaces, push = false, false, false, 'RPUSH'
    if row.origin == 'waiter' and not holder then push = 'LPUSH'
    elseif row.origin == 'waiter' and row.overlap ~= 'replace' then overlaps = row.overlap == 'skip' or waiting > 0
    elseif row.catchesUp or row.origin == 'later' then push = 'RPUSH'
    elseif row.overlap == 'queue' then overlaps = #fresh - (holder and 0 or 1) > 0
    elseif row.kind == 'slot' or not holder then supersedes = true
    elseif row.overlap == 'skip' then overlaps = true
    else supersedes = true replaces = not (holder.catchesUp and row.origin == 'schedule') end
    if overlaps then
        if row.origin == 'schedule' then skipRow(row, 'overlap') end
        table.insert(out.ended, { text, 'overlap', holder and holder.id or '', holder and call('HGET', P .. ':started', holder.id) or '' })
        return
    end
    call('HSET', P .. ':rows', row.id, text) call(push, listOf(row), row.id)
    if supersedes then for _, old in ipairs(fresh) do drop(old[1], old[2], 'superseded') end end
    if replaces then
        local started = cjson.decode(call('HGET', P .. ':started', holder.id))
        if started.waits then
            call('XADD', P .. ':history:' .. row.job, '*', 'past', (string.gsub(started.replaced, '@now', string.format('%d', now))))
            local _, of = rowOf(holder.id)
            table.insert(out.ended, { of, 'replaced' }) leave(holder)
        else call('HSET', P .. ':aborts', holder.id, 'replaced') table.insert(out.aborts, { holder.id, 'replaced' }) end
    end
    if row.catchesUp and #catching >= 100 then drop(catching[1][1], catching[1][2], 'too many') end
    if call('LINDEX', listOf(row), 0) == row.id then table.insert(out.heads, text) end
end
local function answer() return cjson.encode(out) end
`;

const ENQUEUE = `
local now = tonumber(ARGV[2])
if ARGV[3] ~= '' then
    if tonumber(call('GET', P .. ':enqueued') or 0) > tonumber(ARGV[3]) then out.isLate = true return answer() end
    call('SET', P .. ':enqueued', ARGV[4])
end
for _, due in ipairs(cjson.decode(ARGV[1])) do
    local known = tonumber(call('HGET', P .. ':handled', due.key) or due.from)
    if known ~= due.from then table.insert(out.moved, { due.key, known })
    else
        call('HSET', P .. ':handled', due.key, math.max(known, due.untilSecond))
        for _, gone in ipairs(due.drops) do
            local row, text = rowOf(gone[1])
            if row and not has(':started', row.id) then drop(row, text, gone[2]) end
        end
        for _, slots in ipairs(due.skipped) do skip(slots) end
        local reason = due.leftOut or (isPaused(due.job) and 'paused')
        for _, text in ipairs(due.rows) do
            local row = cjson.decode(text)
            if row.slot > known or due.decidesAnew then
                if reason then skipRow(row, reason) table.insert(out.ended, { text, reason }) else enter(text, now) end
            end
        end
    end
end
return answer()`;

const ENTER = `
for index = 2, #ARGV do enter(ARGV[index], tonumber(ARGV[1])) end
return answer()`;

const START = `
local row, text = rowOf(ARGV[1])
if not row then return 'gone' end
if (row.overlap ~= 'allow' or row.catchesUp) and call('LINDEX', listOf(row), 0) ~= row.id then return 'blocked' end
if row.origin ~= 'waiter' and isPaused(row.job) then
    if row.origin ~= 'schedule' or has(':started', row.id) then return 'waits' end
    drop(row, text, 'paused') return answer()
end
call('HSET', P .. ':started', row.id, ARGV[2])
return 'starts'`;

const LEAVE = `
local row, text = rowOf(ARGV[1])
if not row then return answer() end
if ARGV[3] ~= '' then drop(row, text, ARGV[3]) else
    leave(row)
    if ARGV[2] ~= '' then call('XADD', P .. ':history:' .. row.job, '*', 'past', ARGV[2]) end
end
return answer()`;

const ABORT = `
local row, text = rowOf(ARGV[1])
if row and has(':started', row.id) then call('HSET', P .. ':aborts', row.id, ARGV[2]) table.insert(out.aborts, { row.id, ARGV[2] })
elseif row then drop(row, text, ARGV[2]) end
return answer()`;

const BEAT = `
local now = tonumber(ARGV[3])
call('HSET', P .. ':beats', ARGV[1], ARGV[2])
if ARGV[4] ~= '' and tonumber(ARGV[4]) > tonumber(call('GET', P .. ':enqueued') or 0) then call('SET', P .. ':enqueued', ARGV[4]) end
for _, id in ipairs(call('ZRANGEBYSCORE', P .. ':delayed', '-inf', now, 'LIMIT', 0, 200)) do
    local row, text = rowOf(id)
    if not row then call('ZREM', P .. ':delayed', id)
    elseif not isPaused(row.job) then call('HDEL', P .. ':rows', id) call('ZREM', P .. ':delayed', id) enter(text, now) end
end
for _, id in ipairs(cjson.decode(ARGV[5])) do
    local reason = call('HGET', P .. ':aborts', id)
    if reason then table.insert(out.aborts, { id, reason }) end
    local row, text = rowOf(id)
    if row and row.origin == 'waiter' and not has(':started', id) and call('LINDEX', listOf(row), 0) == id then table.insert(out.ready, text) end
end
out.rows = call('HLEN', P .. ':rows')
return answer()`;

const LOOK = `
for _, text in ipairs(call('HVALS', P .. ':rows')) do
    local row = cjson.decode(text)
    local isHead = (row.overlap == 'allow' and not row.catchesUp) or call('LINDEX', listOf(row), 0) == row.id
    if row.origin == 'waiter' then
        if not has(':beats', row.process) then table.insert(out.drops, text) end
    elseif isHead and not call('ZSCORE', P .. ':delayed', row.id) then
        local job = call('HMGET', P .. ':queue:' .. row.id, 'finishedOn', 'returnvalue', 'data')
        if job[1] then table.insert(out.ended, { text, job[2] or '', job[3] or '' })
        elseif not job[3] then table.insert(out.heads, text) end
    end
end
return answer()`;

/** The scripts, by the names under which ioredis runs them. */
export const SCRIPTS = {
    botEnqueue: COMMON + ENQUEUE,
    botEnter: COMMON + ENTER,
    botStart: COMMON + START,
    botLeave: COMMON + LEAVE,
    botAbort: COMMON + ABORT,
    botBeat: COMMON + BEAT,
    botLook: COMMON + LOOK,
    botRelock: `if redis.call('LPOS', KEYS[1] .. ':queue:active', ARGV[1]) then
    return redis.call('SET', KEYS[1] .. ':queue:' .. ARGV[1] .. ':lock', ARGV[2], 'PX', ARGV[3], 'NX') end`,
} as const;

export type ScriptName = keyof typeof SCRIPTS;

/** What a step comes to. Rows are JSON. */
export interface Step {
    /** Rows that are at the head of their lane, to be added to the queue. */
    readonly heads: readonly string[];
    /** Rows that have ended or do not start, with the reason; and the id and the start of what they would overlap. */
    readonly ended: readonly (readonly [row: string, reason: string, behind?: string, started?: string])[];
    /** By key, up to where schedules are handled that were not where the decision was made from. */
    readonly moved: readonly (readonly [key: string, second: number])[];
    readonly aborts: readonly (readonly [id: string, reason: string])[];
    /** Rows of this process that somebody waits for, and that may start. */
    readonly ready: readonly string[];
    /** Rows that somebody waited for in a process that is gone. */
    readonly drops: readonly string[];
    /** Whether another process has ended the gap. */
    readonly isLate?: boolean;
    /** How many rows have not ended. */
    readonly rows?: number;
}

/** Reads what a script answers: an empty list of Lua is an object in JSON. */
export function readStep(answer: unknown): Step {
    const step = JSON.parse(String(answer)) as Record<string, unknown>;
    return Object.fromEntries(
        Object.entries(step).map(([key, value]) => [
            key,
            typeof value === 'object' && !Array.isArray(value) ? [] : value,
        ]),
    ) as unknown as Step;
}
