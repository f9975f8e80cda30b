/**
 * What a dead process has left behind: runs of the queue go back there, unless it has told the queue alone of their end;
 * others are lost, and some begun anew. Its jobs are those after `again`'s runs, which are as many as the number before.
 */
export const GIVE_UP = `
local dead, beat, at, keep, owner, successors = unpack(ARGV, 1, 6)
local state = key('state')
if call('HGET', state, 'beat ' .. dead) ~= beat then return {} end
local first = 7 + 3 * successors
local again = {}
for i = 7, first - 1, 3 do again[ARGV[i]] = {ARGV[i + 1], ARGV[i + 2]} end
local lost = {}
local function see(id, job)
    local run = key('run', id)
    local lane, queued, attempt = unpack(call('HMGET', run, 'lane', 'queued', 'attempt'))
    if queued == '1' then
        if pending(id) then
            call('HSET', run, 'owner', '')
            if lane ~= '' then call('HSET', key('lane', lane), id, '') end
        else
            giveUp(id, lane, job, at, keep)
        end
        return
    end
    giveUp(id, lane, job, at, keep)
    table.insert(lost, id)
    local next = again[id]
    if next then
        call('HSET', key('run', next[1]), 'what', next[2], 'owner', owner, 'attempt', attempt + 1, 'started', at,
            'lane', lane, 'job', job, 'queued', '')
        if lane ~= '' then call('HSET', key('lane', lane), next[1], owner) end
        call('SADD', key('going', job), next[1])
        call('ZADD', key('history', job), at, next[1])
    end
end
for i = first, #ARGV do
    for _, id in ipairs(call('SMEMBERS', key('going', ARGV[i]))) do
        local known = call('HMGET', key('run', id), 'owner', 'outcome')
        if known[1] == dead and not known[2] then see(id, ARGV[i]) end
    end
end
call('HDEL', state, 'beat ' .. dead)
return lost
`;
