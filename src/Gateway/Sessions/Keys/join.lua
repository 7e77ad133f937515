-- Adds the keys that Redis lacks, and returns all. A key that is there is never replaced.
-- KEYS: the keys
-- ARGV: (name, XML)...
-- Returns: how many were added, then (name, XML)...
local added = 0
for i = 1, #ARGV, 2 do
    added = added + redis.call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1])
end

local reply = {added}
for _, part in ipairs(redis.call('HGETALL', KEYS[1])) do reply[#reply + 1] = part end
return reply
