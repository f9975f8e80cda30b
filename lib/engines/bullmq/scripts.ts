// What becomes of a run's job in BullMQ's queue: `a`: it has none; `n`: it waits, and was never begun; `r`: it goes on, or its
// process has died; `w`: it waits for its retry.
//
// Does what was decided, unit by unit, where everything that it was decided from is still so, and answers nothing; else it
// answers how it is: a line each with the value that is checked, the pauses of the job and of all, and of each id whether it is
// among the rows (1) and the jobs (2); then five of each lane: its newest skipped slots and their id, the status of its head, what is
// noted of a head that waits for its retry, and its members. A lane with an id stands for that run alone.
// In commands keys come without their prefix, and `$last` is what the command before did.
const STEP = `
local P, call = KEYS[1], redis.call
local function status(id)
    local known = call('HMGET', P .. ':runs:' .. id, 'processedOn', 'timestamp')
    if known[1] and call('LPOS', P .. ':runs:active', id) then return 'r' end
    local noted = call('HGET', P .. ':started', id)
    if noted then return string.sub(noted, 1, 1) end
    return known[1] and 'r' or known[2] and 'n' or 'a'
end
local function read(basis)
    local live, known, check, job = P .. ':live', {}, basis.check, basis.job
    local pauses = job and call('HMGET', live, 'pause ' .. job, 'pause *') or {}
    for index, id in ipairs(basis.ids) do
        known[index] = call('HEXISTS', P .. ':rows', id) + 2 * call('EXISTS', P .. ':runs:' .. id)
    end
    local lines = {
        check and call('HGET', P .. ':' .. check[1], check[2]) or '',
        (pauses[1] or '') .. '\\t' .. (pauses[2] or ''),
        table.concat(known),
    }
    for _, lane in ipairs(basis.lanes) do
        local members = lane[2] and {} or call('LRANGE', P .. ':lane:' .. lane[1], 0, -1)
        local head = lane[2] or members[1] and string.match(members[1], '(%S+)$')
        local skips = call('HMGET', P .. ':skips', lane[1], lane[1] .. ' id')
        local was = head and status(head) or ''
        local noted = was == 'w' and call('HGET', P .. ':started', head) or ''
        for _, line in ipairs({ skips[1] or '', skips[2] or '', was, noted, table.concat(members, ',') }) do
            table.insert(lines, line)
        end
    end
    return table.concat(lines, '\\n')
end
local answers = {}
for index, unit in ipairs(cjson.decode(ARGV[1])) do
    local reading, last = read(unit.basis), ''
    if reading == unit.reading then
        for _, command in ipairs(unit.commands) do
            for at = 2, #command do command[at] = command[at] == '$last' and last or command[at] end
            command[2] = P .. ':' .. command[2]
            last = call(unpack(command))
        end
        reading = ''
    end
    answers[index] = reading
end
return answers`;

// Runs that have ended leave their lanes; answers who are at the heads of those lanes then, and the streaks that are to be told: how
// many failed in a row, since when, and the last of them. Of each: its id, its job, what history is to say of it, its lane, what its lane has of it,
// the name of its streak, what it does to that, after how many that is told, and when it ended.
const LEAVE = `
local P, call, heads, streaks = KEYS[1], redis.call, {}, {}
local function count(streak, effect, most, now)
    local key = P .. ':streaks'
    local known = call('HGET', key, streak)
    if effect == 'ends' and known then call('HDEL', key, streak) end
    local failures, since, told = string.match(known or '0 ' .. now .. ' 0', '(%d+) (%d+) (%d)')
    if effect == 'grows' then
        failures = string.format('%d', failures + 1)
        local isNews = told == '0' and tonumber(failures) >= tonumber(most)
        call('HSET', key, streak, failures .. ' ' .. since .. (isNews and ' 1' or ' ' .. told))
        return isNews and failures .. ' ' .. since
    end
    return effect == 'ends' and told == '1' and failures .. ' ' .. since
end
for at = 1, #ARGV, 9 do
    local id, job, past, lane, member, streak, effect, most, now = unpack(ARGV, at, at + 8)
    local isThere = call('HDEL', P .. ':rows', id) == 1
    if isThere and past ~= '' then call('XADD', P .. ':past:' .. job, '*', 'run', past) end
    call('HDEL', P .. ':started', id)
    call('HDEL', P .. ':live', 'abort ' .. id)
    if isThere and lane ~= '' then call('LREM', P .. ':lane:' .. lane, 1, member) end
    local head = isThere and lane ~= '' and call('LINDEX', P .. ':lane:' .. lane, 0)
    if head then table.insert(heads, head) end
    local told = isThere and effect ~= '' and count(streak, effect, most, now)
    if told then table.insert(streaks, told .. ' ' .. id) end
end
return { heads, streaks }`;

// Takes the lock of a run again that has run out while Redis stood still.
const LOCK = `
local key = KEYS[1] .. ':runs:' .. ARGV[1] .. ':lock'
local token = redis.call('GET', key)
if token and token ~= ARGV[2] or not redis.call('LPOS', KEYS[1] .. ':runs:active', ARGV[1]) then return 0 end
redis.call('SREM', KEYS[1] .. ':runs:stalled', ARGV[1])
redis.call('SET', key, ARGV[2], 'PX', ARGV[3])
return 1`;

// Keeps BullMQ from looking for runs without a lock where this command has been on its way for too long: Redis stood still, and
// nobody has had the time to take its locks again. Answers what time it is.
const GUARD = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now - ARGV[1] > 2000 then redis.call('SET', KEYS[1] .. ':runs:stalled-check', 1, 'PX', 1000) end
return now`;

/** The scripts, by the names under which ioredis runs them. */
export const SCRIPTS = { botStep: STEP, botLeave: LEAVE, botLock: LOCK, botGuard: GUARD } as const;

export type ScriptName = keyof typeof SCRIPTS;
