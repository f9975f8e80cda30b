import { CLAIM } from './claim_script.js';
import { GIVE_UP } from './give_up_script.js';

/*
 * What has to happen in one step, in Lua. Each script gets the prefix of all keys as its only key: an app's keys live on
 * one server. Times are unix milliseconds, slots unix seconds; what is not there is an empty text.
 *
 *   state            hash: `beat <process>` -> counter, `pause <job>` -> since, `step` -> how often the clock was set back,
 *                    `step to` and `step found` -> the last time
 *   claims           zset: `<lane> <slot>` by slot: what is decided
 *   started          zset: lane by the newest slot that has started
 *   lane:<lane>      hash: run -> the process that executes it, or '' while it is in the queue
 *   line:<lane>      zset: runs that wait for the lane, by slot
 *   run:<id>         hash: a run, from its claim to its outcome; its lane, unless it may overlap
 *   going:<job>      set: its unfinished runs; history:<job>, zset: all of them by their start
 *   jobs             set: the jobs of all runs
 *   schedules        zset: `<job> <key>` by the slot up to which it is settled
 *   skips:<job>      zset of skipped slots, skip:<n>, by the last of them; skipped:<lane>:<schedule> -> n, the newest
 *   queue:...        what BullMQ keeps
 */
const LIBRARY = `
local P = KEYS[1]
local call = redis.call
local function key(name, rest) return P .. ':' .. name .. (rest and ':' .. rest or '') end
-- Whether a run has yet to come out of the queue.
local function pending(id)
    local job = key('queue', id)
    return call('EXISTS', job) == 1 and call('HEXISTS', job, 'finishedOn') == 0
end
-- The first run that waits for a lane, besides one; only among those with a slot before another, where that is given.
local function ahead(lane, but, before)
    local line = call('ZRANGE', key('line', lane), 0, -1, 'WITHSCORES')
    for i = 1, #line, 2 do
        if line[i] ~= but and (not before or tonumber(line[i + 1]) < before) and pending(line[i]) then return line[i] end
    end
    return false
end
local function leave(id, lane, job)
    call('SREM', key('going', job), id)
    if lane == '' then return end
    call('HDEL', key('lane', lane), id)
    call('ZREM', key('line', lane), id)
end
-- The process of a run is dead, and no queue will bring it back: it is lost, unless the queue alone was told of its end.
local function giveUp(id, lane, job, at, keep)
    local run = key('run', id)
    if call('HEXISTS', run, 'outcome') == 1 then return end
    local isDone = call('HEXISTS', key('queue', id), 'returnvalue') == 1
    call('HSET', run, 'outcome', isDone and 'succeeded' or 'lost', 'reason', isDone and '' or 'its process died', 'ended', at)
    call('PEXPIRE', run, keep)
    leave(id, lane, job)
end
`;

/** A process has seen to the end of a run's attempt: this is the run's outcome. */
const FINISH = `
local id, owner, attempt, lane, job, what, keep = unpack(ARGV, 1, 7)
local outcome, reason, error, stack, started, ended = unpack(ARGV, 8, 13)
local run = key('run', id)
local known = call('HMGET', run, 'owner', 'outcome', 'attempt', 'endedBy', 'lane')
if known[2] then
    if known[4] == owner .. ' ' .. attempt then return {1} end
    if known[2] == 'lost' then call('HSET', run, 'reason', 'given up as lost, but its process went on: ' .. outcome) end
    return {0}
end
local isMine = known[1] == owner or (known[1] == '' and known[3] == attempt)
if known[1] and not isMine then return {0} end
if not known[1] then
    call('HSET', run, 'what', what, 'owner', owner)
    call('ZADD', key('history', job), started, id)
end
call('HSET', run, 'outcome', outcome, 'error', error, 'stack', stack, 'attempt', attempt, 'started', started,
    'ended', ended, 'endedBy', owner .. ' ' .. attempt)
if reason ~= '' then call('HSET', run, 'reason', reason) end
call('PEXPIRE', run, keep)
call('SADD', key('jobs'), job)
lane = known[5] or ''
leave(id, lane, job)
return {1, lane ~= '' and ahead(lane, id) or ''}
`;

/** A run goes back into the queue: to wait for its next attempt, or because its process stops before it has begun. */
const RETURN = `
local id, owner, lane, waits = unpack(ARGV)
local run = key('run', id)
if call('HGET', run, 'owner') ~= owner then return 0 end
if waits == '' then call('HINCRBY', run, 'attempt', -1) end
call('HSET', run, 'owner', '', 'waits', '1')
if call('HGET', run, 'lane') ~= '' then call('HSET', key('lane', lane), id, '') end
return 1
`;

/** Slots that did not run. Who skips one for overlap takes it as a claim would; successive ones share a record. */
const SKIP = `
local job, lane, what, schedule, reason, first, last, count, atLeast, before, keep, now = unpack(ARGV)
if first == last then
    local claim = lane .. ' ' .. first
    if call('ZSCORE', key('claims'), claim) then return 0 end
    if reason == 'overlap' then call('ZADD', key('claims'), first, claim) end
end
local newest = key('skipped', lane .. ':' .. schedule)
local list = key('skips', job)
local n = call('GET', newest)
local known = n and call('HMGET', key('skip', n), 'reason', 'first', 'last') or {}
if known[1] == reason then
    if tonumber(last) <= tonumber(known[3]) and tonumber(first) >= tonumber(known[2]) then return 0 end
    if known[3] ~= before then n = false end
else
    n = false
end
if n then
    call('HSET', key('skip', n), 'last', last)
    call('HINCRBY', key('skip', n), 'count', count)
    if atLeast == '1' then call('HSET', key('skip', n), 'atLeast', '1') end
else
    n = tostring(call('INCR', key('skip')))
    call('HSET', key('skip', n), 'what', what, 'reason', reason, 'first', first, 'last', last, 'count', count, 'atLeast', atLeast)
    call('SET', newest, n)
end
call('PEXPIRE', key('skip', n), keep)
call('PEXPIRE', newest, keep)
call('ZADD', list, last, n)
call('ZREMRANGEBYSCORE', list, '-inf', (now - keep) / 1000)
return 1
`;

/** Ends a pause, or all: what its schedules owe since is settled. */
const RESUME = `
local job, now = unpack(ARGV)
local state, schedules = key('state'), key('schedules')
local ended = {}
for _, field in ipairs(call('HKEYS', state)) do
    local paused = string.match(field, '^pause (.*)$')
    if paused and (job == '*' or paused == job) then
        ended[paused] = true
        call('HDEL', state, field)
    end
end
for _, schedule in ipairs(call('ZRANGEBYSCORE', schedules, '-inf', '(' .. now)) do
    local paused = string.match(schedule, '^(%S*) ')
    if ended['*'] or ended[paused] then call('ZADD', schedules, now, schedule) end
end
return 1
`;

/** The clock was set back: what is known of later slots is void. Only the first process that finds this does it. */
const VOID = `
local second, same, lapse = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state = key('state')
local known = call('HMGET', state, 'step to', 'step found')
local last, found, now = tonumber(known[1] or ''), tonumber(known[2] or ''), tonumber(call('TIME')[1])
-- In either direction: the clocks of two machines differ.
if last and found and math.abs(second - last) <= same and math.abs(now - found) <= lapse then return 0 end
call('HSET', state, 'step to', second, 'step found', now)
call('HINCRBY', state, 'step', 1)
call('ZREMRANGEBYSCORE', key('claims'), '(' .. second, '+inf')
for _, name in ipairs({'started', 'schedules'}) do
    for _, member in ipairs(call('ZRANGEBYSCORE', key(name), '(' .. second, '+inf')) do
        call('ZADD', key(name), second, member)
    end
end
return 1
`;

/** Forgets what is too old. What slots were claimed is kept as long as any release ever wanted. */
const FORGET = `
local second, claims, history = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local state = key('state')
local kept = math.max(claims, tonumber(call('HGET', state, 'kept') or '0'))
call('HSET', state, 'kept', kept)
call('ZREMRANGEBYSCORE', key('claims'), '-inf', second - kept)
call('ZREMRANGEBYSCORE', key('started'), '-inf', second - kept)
for i = 4, #ARGV do call('ZREMRANGEBYSCORE', key('history', ARGV[i]), '-inf', (second - history) * 1000) end
return kept
`;

const OWN = {
    claim: CLAIM,
    finish: FINISH,
    putBack: RETURN,
    giveUp: GIVE_UP,
    skip: SKIP,
    resume: RESUME,
    void: VOID,
    forget: FORGET,
};

/** The name of a script. */
export type ScriptName = `bot${Capitalize<keyof typeof OWN>}`;

/** The scripts, by the name under which ioredis knows them: it has commands of its own. */
export const SCRIPTS = Object.fromEntries(
    Object.entries(OWN).map(([name, lua]) => [`bot${name[0]?.toUpperCase()}${name.slice(1)}`, LIBRARY + lua]),
) as Record<ScriptName, string>;
