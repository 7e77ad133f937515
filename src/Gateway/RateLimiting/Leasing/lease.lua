-- Lends a node permits of a counter to hand out by itself, or takes some back.
-- KEYS: the counter; which one it is, a number that a counter made anew, after a reset too, does not have
-- ARGV: permits of the limit; ms of the window, or 0 and the date it ends since 1970; permits wanted, or less than 0 to
--       give some back; end of the window they were lent in; which counter they were lent of
-- Returns: permits lent, permits in use, ms until the window ends, when that is since 1970, which counter it is
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local permits, span, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4])
local is_total = span == 0
local count = redis.call('GET', KEYS[1])
local used = tonumber(count or '0')
local left = redis.call('PTTL', KEYS[1])

if wanted < 0 then
    -- Permits of a window that is over are nobody's, nor are those of before a reset.
    local is_same = redis.call('GET', KEYS[2]) == ARGV[6] and (is_total or math.abs(now + left - tonumber(ARGV[5])) <= 20)
    if used >= -wanted and is_same then used = redis.call('INCRBY', KEYS[1], wanted) end
    return {0, used, left, now + left, ARGV[6]}
end

if is_total then span = tonumber(ARGV[3]) - now end
-- The date has passed: the limit holds no more.
if span <= 0 then return {wanted, 0, 0, 0, 0} end

-- Longer than the window, or another date than the key's own: the configuration changed it.
if left == -1 or left > span or (is_total and left < span - 1000) then
    redis.call('PEXPIRE', KEYS[1], span)
    left = span
end
if left < 0 then left = span end

local which = redis.call('GET', KEYS[2])
local lent = math.max(0, math.min(wanted, permits - used))
if lent > 0 then
    if not count or not which then which = string.format('%.0f', tonumber(time[1]) * 1e6 + tonumber(time[2])) end
    redis.call('SET', KEYS[2], which, 'PX', math.max(1, left))
    used = redis.call('INCRBY', KEYS[1], lent)
    if used == lent then redis.call('PEXPIRE', KEYS[1], math.max(1, left)) end
end
return {lent, used, left, now + left, which or 0}
