-- Makes, replaces or removes an API key. What has ended makes room for what is made.
-- KEYS: the keys, their ends
-- ARGV: create, id, entry, end in ms, most keys; or replace, id, entry, the entry it replaces; or remove, id
-- Returns: 1 if it was done; else 0: it does not fit, is another by now, or does not exist
local action, id = ARGV[1], ARGV[2]
if action == 'remove' then
    redis.call('ZREM', KEYS[2], id)
    return redis.call('HDEL', KEYS[1], id)
end
if action == 'replace' then
    if redis.call('HGET', KEYS[1], id) ~= ARGV[4] then return 0 end
    redis.call('HSET', KEYS[1], id, ARGV[3])
    return 1
end

local time = redis.call('TIME')
local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', time[1] .. '000', 'LIMIT', 0, 1000)
for _, ended in ipairs(over) do
    redis.call('HDEL', KEYS[1], ended)
    redis.call('ZREM', KEYS[2], ended)
end
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) then return 0 end
redis.call('HSET', KEYS[1], id, ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[4], id)
return 1
