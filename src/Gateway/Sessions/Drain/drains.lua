-- Changes the set of draining destinations, or only reads it. Where Redis was emptied or set back since the node last
-- read, which the version tells, what the node knows is put back first.
-- KEYS: the set
-- ARGV: version the node knows; add, remove or empty; the member; then the members the node knows...
-- Returns: version, then members...
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local known = tonumber(ARGV[1])
if version < known then
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'version', ARGV[1])
    for i = 4, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], '1') end
end

local changed = 0
if ARGV[2] == 'add' then
    changed = redis.call('HSETNX', KEYS[1], ARGV[3], '1')
elseif ARGV[2] == 'remove' then
    changed = redis.call('HDEL', KEYS[1], ARGV[3])
end
if changed == 1 then redis.call('HINCRBY', KEYS[1], 'version', 1) end

local reply = {redis.call('HGET', KEYS[1], 'version') or '0'}
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if field ~= 'version' then reply[#reply + 1] = field end
end
return reply
