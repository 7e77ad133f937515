-- Lends a node permits of a counter to hand out by itself, or takes some back.
-- KEYS: the counter
-- ARGV: permits of the limit; ms of the window, or 0 and the date it ends since 1970; permits wanted, or less than 0 to
--       give some back; end of the window they were lent in
-- Returns: permits lent, permits in use, ms until the window ends, when that is since 1970
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local permits, span, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4])
if span == 0 then span = tonumber(ARGV[3]) - now end
-- The date has passed: the limit holds no more.
if span <= 0 then return {wanted, 0, 0, 0} end

local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local left = redis.call('PTTL', KEYS[1])
if left == -1 or left > span then redis.call('PEXPIRE', KEYS[1], span) end
if left < 0 or left > span then left = span end

if wanted < 0 then
    -- Permits of a window that is over are nobody's.
    if used >= -wanted and math.abs(now + left - tonumber(ARGV[5])) <= 20 then used = redis.call('INCRBY', KEYS[1], wanted) end
    return {0, used, left, now + left}
end

local lent = math.max(0, math.min(wanted, permits - used))
if lent > 0 then
    used = redis.call('INCRBY', KEYS[1], lent)
    if used == lent then redis.call('PEXPIRE', KEYS[1], math.max(1, left)) end
end
return {lent, used, left, now + left}
