-- Gives the result of an introspection, or the turn to make one. Asked again by the same owner it gives the same answer.
-- KEYS: result, lock
-- ARGV: owner, the longest turn in ms, a result of no use any more (or empty)
-- Returns: 2 and the result; 1: it is this owner's turn; 0: it is another's.
local result = redis.call('GET', KEYS[1])
if result and result ~= ARGV[3] then return {2, result} end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {1} end
if redis.call('GET', KEYS[2]) == ARGV[1] then return {1} end
return {0}
