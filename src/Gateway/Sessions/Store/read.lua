-- Reads a session and moves its window, at most once per quarter of it.
-- KEYS: the session, its subject's sessions (none: nobody's)
-- ARGV: the session's hash
-- Returns: nothing, or data, how long ago the window was moved, how long the session has left, whether it was moved now (ms).
local record = redis.call('HMGET', KEYS[1], 'data', 'created', 'seen', 'window', 'ends')
if not record[1] then return false end
local member = record[2] .. ':' .. ARGV[1]
if KEYS[2] and not redis.call('ZSCORE', KEYS[2], member) then return false end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local seen, window, ends = tonumber(record[3]), tonumber(record[4]), tonumber(record[5])
local function expires()
    if window > 0 and seen + window < ends then return seen + window end
    return ends
end

local moved = 0
if window > 0 and now - seen >= window / 4 and expires() < ends then
    seen, moved = now, 1
    redis.call('HSET', KEYS[1], 'seen', string.format('%d', seen))
    redis.call('PEXPIRE', KEYS[1], string.format('%d', expires() - now))
    if KEYS[2] then redis.call('ZADD', KEYS[2], 'XX', string.format('%d', expires()), member) end
end
return {record[1], now - seen, expires() - now, moved}
