-- Lets a lock last longer, if it is still the caller's.
-- KEYS[1] the lock; ARGV[1] the caller's token; ARGV[2] for how long from now on, in ms.
if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0
