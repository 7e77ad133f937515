-- Keeps the result of an introspection, and ends the turn unless it has passed to another.
-- KEYS: result, lock
-- ARGV: owner, result (or empty), how long to keep it in ms, 1 if the token was refused
if ARGV[2] ~= '' then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
if ARGV[4] == '1' then redis.call('DEL', KEYS[1]) end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
