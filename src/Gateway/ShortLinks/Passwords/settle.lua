-- Ends what guess.lua counted: a right password is taken back, a wrong one stays. Its window may be over: then there is nothing to end.
-- KEYS: guesses
-- ARGV: client, 1 if it was wrong
local function lower(field)
    if redis.call('HINCRBY', KEYS[1], field, -1) <= 0 then redis.call('HDEL', KEYS[1], field) end
end

if redis.call('HEXISTS', KEYS[1], 'running:' .. ARGV[1]) == 0 then return 0 end
for _, counted in ipairs({ARGV[1], 'all'}) do
    lower('running:' .. counted)
    if ARGV[2] ~= '1' then lower(counted) end
end
return 1
