-- Notes which clients are limited most, and forgets the least limited when there are too many.
-- KEYS: this hour
-- ARGV: most clients kept, seconds to keep the hour, then (client, rejections)...
-- Returns: 1
for i = 3, #ARGV, 2 do redis.call('ZINCRBY', KEYS[1], ARGV[i + 1], ARGV[i]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
-- A tenth over, so that a client new to the ranking has time to rise before the least limited are dropped.
local most, count = tonumber(ARGV[1]), redis.call('ZCARD', KEYS[1])
if count > most + math.floor(most / 10) then redis.call('ZREMRANGEBYRANK', KEYS[1], 0, count - most - 1) end
return 1
