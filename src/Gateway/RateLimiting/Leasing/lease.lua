-- Lends a node permits of a counter to hand out by itself, or takes some back.
-- KEYS: the counter; which one it is, a number that lives as long, and is another for the counter of the next window or
--       the one that follows a reset
-- ARGV: permits of the limit; ms of the window, or 0 and the date it ends since 1970; permits wanted, or less than 0 to
--       give some back; which counter those were lent of
-- Returns: permits lent, permits in use, ms until the window ends, which counter it is; 0: the date has passed, and the
--          limit holds no more, or none were ever lent
local time = redis.call('TIME')
local permits, span, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4])
local count = redis.call('GET', KEYS[1])
local used = tonumber(count or '0')
local left = redis.call('PTTL', KEYS[1])
local which = redis.call('GET', KEYS[2])
-- What is no lease may have begun the counter anew, or shortened it.
if not count or math.abs(left - redis.call('PTTL', KEYS[2])) > 1000 then which = false end

if wanted < 0 then
    -- Permits of a window that is over are nobody's, nor are those of before a reset.
    if which == ARGV[5] and used >= -wanted then used = redis.call('INCRBY', KEYS[1], wanted) end
    return {0, used, left, which or 0}
end

local is_total = span == 0
if is_total then span = tonumber(ARGV[3]) - tonumber(time[1]) * 1000 - math.floor(tonumber(time[2]) / 1000) end
if span <= 0 then return {wanted, 0, 0, 0} end

-- Longer than the window, or another date than the key's own: the configuration changed it.
if left == -1 or left > span or (is_total and left < span - 1000) then
    redis.call('PEXPIRE', KEYS[1], span)
    left = span
end
if left < 0 then left = span end

local lent = math.max(0, math.min(wanted, permits - used))
if lent > 0 then
    which = which or string.format('%.0f', tonumber(time[1]) * 1e6 + tonumber(time[2]))
    used = redis.call('INCRBY', KEYS[1], lent)
    if used == lent then redis.call('PEXPIRE', KEYS[1], math.max(1, left)) end
    redis.call('SET', KEYS[2], which, 'PX', math.max(1, left))
end
return {lent, used, left, which or 0}
