-- Lists a subject's sessions.
-- KEYS: the subject's sessions
-- Returns: ("created:hash", end in ms)...
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)))
return redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
