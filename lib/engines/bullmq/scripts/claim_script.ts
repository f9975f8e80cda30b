/**
 * Asks for the right to run a slot, and records that it runs; or only the latter, where the run is manual. A run that comes
 * out of the queue again - to be retried, or because its process died - goes on with its next attempt, if one is left.
 * Answers: the answer, then the number of the attempt and when the first one started.
 *
 * - `held`: its process still shows life; whoever has got it has to wait
 * - `wait`: its lane is taken, and it is to come again
 * - `lost`: its process died, and no attempt is left
 * - the others as an engine answers a claim
 */
export const CLAIM = `
local id, owner, nonce, lane, slot, job, what, now, keep = unpack(ARGV, 1, 9)
local isManual, isExclusive, isQueued, catchesUp, waits = ARGV[10] ~= '', ARGV[11] ~= '', ARGV[12] ~= '', ARGV[13] ~= '', ARGV[14] ~= ''
local retries = tonumber(ARGV[15])
local run, state, lanes = key('run', id), key('state'), key('lane', lane)

local function begin(attempt, ...)
    call('HSET', run, 'what', what, 'owner', owner, 'nonce', nonce, 'attempt', attempt, 'waits', '', ...)
    call('PEXPIRE', run, keep)
    call('SADD', key('jobs'), job)
    if isExclusive then call('HSET', lanes, id, owner) end
end

local known = call('HMGET', run, 'outcome', 'owner', 'nonce', 'attempt', 'waits', 'started')
if known[2] then
    local attempt = tonumber(known[4])
    -- Asked for the second time, because the first answer was lost.
    if known[3] == nonce and known[2] == owner then return {'granted', attempt, known[6]} end
    if known[1] then return {'taken'} end
    if known[2] ~= '' and call('HEXISTS', state, 'beat ' .. known[2]) == 1 then return {'held'} end
    if known[5] ~= '1' then
        if attempt > retries then
            call('HSET', run, 'outcome', 'lost', 'reason', 'its process died', 'ended', now)
            call('PEXPIRE', run, keep)
            leave(id, lane, job)
            return {'lost', attempt, known[6], ahead(lane, id) or ''}
        end
        call('HSET', run, 'reason', 'attempt ' .. attempt .. ' died with its process')
    end
    begin(attempt + 1)
    return {'granted', attempt + 1, known[6], known[5] ~= '1' and 'died' or ''}
end

local claim = lane .. ' ' .. slot
local found = call('HMGET', state, 'pause ' .. job, 'pause *', 'beat ' .. owner)
if not isManual then
    if call('ZSCORE', key('claims'), claim) then return {'taken'} end
    if found[1] or found[2] then return {'paused'} end
end
-- Buried while it slept: whoever looks has to see it again.
if not found[3] then call('HSET', state, 'beat ' .. owner, 0) end
if isExclusive then
    local newest = not isManual and call('ZSCORE', key('started'), lane)
    local isBusy = false
    local held = call('HGETALL', lanes)
    for i = 1, #held, 2 do
        local other, by = held[i], held[i + 1]
        -- Of a process without a beat nobody will ever see to what it has left behind.
        local isLeft = by == '' or call('HEXISTS', state, 'beat ' .. by) == 0
        if isLeft and not pending(other) then
            call('HDEL', lanes, other)
            if by ~= '' and call('HGET', key('run', other), 'owner') == by then giveUp(other, lane, job, now, keep) end
        elseif other ~= id and (isQueued or by ~= owner) then
            isBusy = true
        end
    end
    if isQueued then
        if newest and tonumber(newest) > tonumber(slot) then return {'superseded'} end
        local line = key('line', lane)
        local waited = call('ZSCORE', line, id)
        if isBusy or ahead(lane, id, (catchesUp or waited) and tonumber(slot) or nil) then
            if catchesUp or waited then return {'wait'} end
            if not waits or ahead(lane, id) then return {'busy'} end
            call('ZADD', line, slot, id)
            call('PEXPIRE', line, keep)
            return {'wait'}
        end
    elseif isBusy then
        return {'busy'}
    elseif newest and tonumber(newest) > tonumber(slot) then
        return {'superseded'}
    end
end
if not isManual then
    call('ZADD', key('claims'), slot, claim)
    if isExclusive then call('ZADD', key('started'), 'GT', slot, lane) end
end
begin(1, 'started', now, 'lane', isExclusive and lane or '', 'job', job, 'queued', isQueued and '1' or '')
call('ZADD', key('history', job), now, id)
call('SADD', key('going', job), id)
if isQueued and isExclusive then call('ZREM', key('line', lane), id) end
return {'granted', 1, now}
`;
