-- Takes note of how far an issuer's clock is ahead: the most that was seen, for as long as tokens from then can live.
-- KEYS: the lead
-- ARGV: lead in s, how long to keep it in ms
-- Returns: the lead that holds.
local known = tonumber(redis.call('GET', KEYS[1]) or '0')
if known > tonumber(ARGV[1]) then return known end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return tonumber(ARGV[1])
