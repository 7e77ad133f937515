-- Keeps revocations; of two for the same tokens the wider remains.
-- KEYS: revocations, their ends
-- ARGV: most revocations, then (id, issued before, end in s)...
-- Returns: 1, or 0 when they do not fit.
local time = redis.call('TIME')
local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', time[1], 'LIMIT', 0, 1000)
for _, id in ipairs(over) do
    redis.call('HDEL', KEYS[1], id)
    redis.call('ZREM', KEYS[2], id)
end

local count = math.floor((#ARGV - 1) / 3)
if redis.call('ZCARD', KEYS[2]) + count > tonumber(ARGV[1]) then return 0 end
for i = 1, count do
    local id, before, ends = ARGV[3 * i - 1], ARGV[3 * i], ARGV[3 * i + 1]
    local known = redis.call('HGET', KEYS[1], id)
    if known then
        local known_before, known_ends = string.match(known, '^(%d+):(%d+)$')
        if tonumber(known_before) > tonumber(before) then before = known_before end
        if tonumber(known_ends) > tonumber(ends) then ends = known_ends end
    end
    redis.call('HSET', KEYS[1], id, before .. ':' .. ends)
    redis.call('ZADD', KEYS[2], ends, id)
end

local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')
redis.call('EXPIREAT', KEYS[1], last[2])
redis.call('EXPIREAT', KEYS[2], last[2])
return 1
