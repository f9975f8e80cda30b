// What becomes of a run's job in BullMQ's queue: `a`: it has none; `n`: it waits, and was never begun; `r`: it goes on, or its
// process has died; `w`: it waits for its retry.
const STATUS = `
local P, call = KEYS[1], redis.call
local function status(id)
    local known = call('HMGET', P .. ':runs:' .. id, 'processedOn', 'timestamp')
    if known[1] and call('LPOS', P .. ':runs:active', id) then return 'r' end
    local noted = call('HGET', P .. ':started', id)
    if noted then return string.sub(noted, 1, 1) end
    return known[1] and 'r' or known[2] and 'n' or 'a'
end`;

// What decides on runs that enter or leave their lanes: of each its id, its lane, and that of its skipped slots. Without a lane,
// `-`, the run's own status is answered in place of that of its lane's head.
const READ = `${STATUS}
local answers = {}
for index = 1, #ARGV, 3 do
    local id, lane = ARGV[index], ARGV[index + 2]
    local isKnown = call('HEXISTS', P .. ':rows', id) + call('EXISTS', P .. ':runs:' .. id)
    local members = call('LRANGE', P .. ':lane:' .. ARGV[index + 1], 0, -1)
    local head = members[1] and string.match(members[1], '(%S+)$') or ARGV[index + 1] == '-' and id
    local skips = call('HMGET', P .. ':skips', lane, lane .. ' id')
    local was = head and status(head) or ''
    local noted = was == 'w' and call('HGET', P .. ':started', head) or ''
    table.insert(answers, { isKnown, skips[1] or '', skips[2] or '', was, noted, members })
end
return answers`;

// Does what was decided, unit by unit, where everything that it was decided from is still so; of each it answers what its last
// command did, or nothing. Where the first of several that belong together is refused, so are the others. Keys come without
// their prefix. `$last` is what the command before did, a number after a `$` one of the long texts, which come behind.
const APPLY = `${STATUS}
local function textOf(value) return type(value) == 'table' and table.concat(value, '\\n') or tostring(value or '') end
local function resolve(value) local number = string.match(value, '^%$(%d+)$') return number and ARGV[tonumber(number)] or value end
local function run(command, last)
    for index = 2, #command do command[index] = command[index] == '$last' and last or resolve(command[index]) end
    command[2] = P .. ':' .. command[2]
    return textOf(call(unpack(command)))
end
local answers = {}
for _, unit in ipairs(cjson.decode(ARGV[1])) do
    local isSo, last = true, ''
    for _, check in ipairs(unit.checks) do
        local expected = resolve(table.remove(check))
        isSo = isSo and (check[1] == 'STATUS' and status(check[2]) or check[1] ~= 'STATUS' and run(check)) == expected
    end
    for _, op in ipairs(isSo and unit.ops or {}) do last = run(op, last) end
    table.insert(answers, isSo and '+' .. last or '')
    if unit.leads and not isSo then break end
end
return answers`;

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
export const SCRIPTS = { botRead: READ, botApply: APPLY, botLock: LOCK, botGuard: GUARD } as const;

export type ScriptName = keyof typeof SCRIPTS;
