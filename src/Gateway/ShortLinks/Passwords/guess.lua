-- Admits a password to be tried, and counts it as a wrong one until it turns out to be right.
-- KEYS: link, guesses
-- ARGV: client, most guesses of a client, most of all clients, window in ms
-- Returns: 1 admitted, 0 too many, -1 no such link; then ms until the window ends.
if redis.call('EXISTS', KEYS[1]) == 0 then return {-1, 0} end
local window = tonumber(ARGV[4])
local left = redis.call('PTTL', KEYS[2])
local known = redis.call('HMGET', KEYS[2], ARGV[1], 'all')
if tonumber(known[1] or '0') >= tonumber(ARGV[2]) or tonumber(known[2] or '0') >= tonumber(ARGV[3]) then
    return {0, left}
end
redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
redis.call('HINCRBY', KEYS[2], 'all', 1)
if left < 0 then
    redis.call('PEXPIRE', KEYS[2], window)
    left = window
end
return {1, left}
