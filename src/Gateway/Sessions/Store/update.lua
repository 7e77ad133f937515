-- Replaces what a session holds, if it has not ended. Its window stays where it is.
-- KEYS: the session, its subject's sessions (none: nobody's)
-- ARGV: the session's hash, data
-- Returns: whether it was there.
local created = redis.call('HGET', KEYS[1], 'created')
if not created then return 0 end
if KEYS[2] and not redis.call('ZSCORE', KEYS[2], created .. ':' .. ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[2])
return 1
