-- Admits a password to be compared. Until settle.lua it counts as a wrong one that still runs, so that never more are compared than may be wrong.
-- KEYS: link, guesses
-- ARGV: client, most guesses of a client, most of all clients, window in ms, 1 to count it, 0 only to ask
-- Returns: 1 admitted, 0 too many were wrong, -1 no such link, -2 too many run that may be wrong; then ms until the window ends.
if redis.call('EXISTS', KEYS[1]) == 0 then return {-1, 0} end
local window = tonumber(ARGV[4])
local left = redis.call('PTTL', KEYS[2])
local known = redis.call('HMGET', KEYS[2], ARGV[1], 'all', 'running:' .. ARGV[1], 'running:all')
for i = 1, 4 do known[i] = tonumber(known[i] or '0') end
for i = 1, 2 do
    if known[i] - known[i + 2] >= tonumber(ARGV[i + 1]) then return {0, left} end
end
for i = 1, 2 do
    if known[i] >= tonumber(ARGV[i + 1]) then return {-2, left} end
end
if ARGV[5] ~= '1' then return {1, left} end
for _, counted in ipairs({ARGV[1], 'all'}) do
    redis.call('HINCRBY', KEYS[2], counted, 1)
    redis.call('HINCRBY', KEYS[2], 'running:' .. counted, 1)
end
if left < 0 then
    redis.call('PEXPIRE', KEYS[2], window)
    left = window
end
return {1, left}
