-- Keeps permits of requests that still run, and puts them back where Redis lost them.
-- KEYS: the permits of one limit and client
-- ARGV: ms for which they are held, then permits...
-- Returns: 1
local time = redis.call('TIME')
local hold = tonumber(ARGV[1])
local ends = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + hold
for i = 2, #ARGV do redis.call('ZADD', KEYS[1], ends, ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], hold)
return 1
