-- Forgets which slug was made for an Idempotency-Key, unless it is another one by now.
-- KEYS: request
-- ARGV: the slug
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
