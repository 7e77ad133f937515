-- Says where a session belongs, and extends its time. Of what the node knows and what is recorded, the newer holds.
-- KEYS: the session
-- ARGV: moves, destination (empty: the node knows none), expiry in ms
-- Returns: "moves destination", or nothing when nobody knows.
local held = redis.call('GET', KEYS[1])
local moves = held and tonumber(string.match(held, '^(%d+) '))
if moves and (ARGV[2] == '' or moves >= tonumber(ARGV[1])) then
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return held
end

if ARGV[2] == '' then return false end
held = ARGV[1] .. ' ' .. ARGV[2]
redis.call('SET', KEYS[1], held, 'PX', ARGV[3])
return held
