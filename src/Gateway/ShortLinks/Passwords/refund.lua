-- Takes back a guess that was right. Its window may be over: then there is nothing to take back.
-- KEYS: guesses
-- ARGV: client
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], ARGV[1], -1)
return redis.call('HINCRBY', KEYS[1], 'all', -1)
