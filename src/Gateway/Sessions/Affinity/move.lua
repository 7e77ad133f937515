-- Gives a session another destination, unless somebody has done so since the node last looked: the first one's choice holds.
-- KEYS: the session
-- ARGV: moves and destination as the node knows them (0 and empty: none), the new destination, expiry in ms
-- Returns: "moves destination" that holds now.
local held = redis.call('GET', KEYS[1])
local moves = held and tonumber(string.match(held, '^(%d+) '))
local known = tonumber(ARGV[1])
if moves and moves >= known and held ~= ARGV[1] .. ' ' .. ARGV[2] then
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    return held
end

held = string.format('%d', known + 1) .. ' ' .. ARGV[3]
redis.call('SET', KEYS[1], held, 'PX', ARGV[4])
return held
