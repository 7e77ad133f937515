-- Decides all limits of a request at once: it is counted in all of them, or in none.
-- KEYS: one counter per limit
-- ARGV: charge, look (nothing is counted) or settle (counted whatever the limits say);
--       the name of a concurrency permit; ms for which it is held unless renewed;
--       then per limit: algorithm, permits, cost, ms (fixed, sliding: the window; bucket: until a full one has drained;
--       total: the date it ends, since 1970), 1 for a shadow
-- Returns: 1 if admitted, else 0; then per limit: permits in use, ms until all are free, ms until this cost can pass
--          (0: it can now; -1: it never can)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local algorithms = {}

-- A counter without an end would refuse its client for ever.
local function heal(key, ms)
    if redis.call('PTTL', key) == -1 then redis.call('PEXPIRE', key, ms) end
end

local function count_until(key, permits, cost, used, left)
    local wait = 0
    if used + cost > permits then wait = math.max(1, left) end
    return used, used > 0 and left or 0, wait, function()
        local count = redis.call('INCRBY', key, cost)
        if count == cost then redis.call('PEXPIRE', key, math.max(1, left)) end
        return count, left
    end
end

-- A string that ends with its window, which its first request began.
function algorithms.fixed(key, permits, cost, span)
    local used = tonumber(redis.call('GET', key) or '0')
    local left = redis.call('PTTL', key)
    -- Longer than the window: the configuration shortened it.
    if left == -1 or left > span then redis.call('PEXPIRE', key, span) end
    if left < 0 or left > span then left = span end
    return count_until(key, permits, cost, used, left)
end

-- A string that ends at a date. After it the limit holds no more.
function algorithms.total(key, permits, cost, ends)
    local left = ends - now
    if left <= 0 then return 0, 0, 0, function() return 0, 0 end end
    local used = tonumber(redis.call('GET', key) or '0')
    -- Another date than the key's own: the configuration moved it.
    if used > 0 and math.abs(redis.call('PTTL', key) - left) > 1000 then redis.call('PEXPIRE', key, left) end
    return count_until(key, permits, cost, used, left)
end

-- A hash part → permits, and their sum. A window touches at most 101 parts of a hundredth of it each: all of them
-- count whole, so that no window of any beginning holds more than the limit.
function algorithms.sliding(key, permits, cost, span)
    local width = span / 100
    local current = math.floor(now / width)
    local state = redis.call('HMGET', key, 'used', 'first', 'span')
    local used, first = tonumber(state[1] or '0'), tonumber(state[2] or '0')
    local keep_ms = math.ceil(span + width) + 1

    if state[3] and tonumber(state[3]) ~= span then
        -- The configuration changed the window: what was counted stays counted for a whole new one.
        redis.call('DEL', key)
        redis.call('HSET', key, 'used', used, 'first', current, 'span', span, current, used)
        redis.call('PEXPIRE', key, keep_ms)
        first = current
    elseif used > 0 and first < current - 100 then
        local all = redis.call('HGETALL', key)
        for i = 1, #all, 2 do
            local part = tonumber(all[i])
            if part and part < current - 100 then
                used = used - tonumber(all[i + 1])
                redis.call('HDEL', key, all[i])
            end
        end
        first = current - 100
        redis.call('HSET', key, 'used', used, 'first', first)
    end

    local free, wait = 0, 0
    if used > 0 then free = math.ceil((current + 101) * width - now) end
    if used + cost > permits then
        -- Also where nothing is counted: the cost alone is above the limit.
        wait = 1
        heal(key, keep_ms)
        local all, parts = redis.call('HGETALL', key), {}
        for i = 1, #all, 2 do
            local part = tonumber(all[i])
            if part then parts[#parts + 1] = {part, tonumber(all[i + 1])} end
        end
        table.sort(parts, function(a, b) return a[1] < b[1] end)
        local excess = used + cost - permits
        for _, part in ipairs(parts) do
            free = math.max(1, math.ceil((part[1] + 101) * width - now))
            if excess > 0 then wait = free end
            excess = excess - part[2]
        end
    end

    return used, free, wait, function()
        redis.call('HINCRBY', key, current, cost)
        if used == 0 then first = current end
        redis.call('HSET', key, 'used', used + cost, 'first', first, 'span', span)
        redis.call('PEXPIRE', key, keep_ms)
        return used + cost, math.ceil((current + 101) * width - now)
    end
end

-- What settling may put a bucket into debt for: a year, in ms. Counted without a bound it would not flow back in a lifetime.
local longest_debt = 3.2e10

-- A hash: permits in use, which flow back evenly, and when they were counted.
function algorithms.bucket(key, permits, cost, span)
    local state = redis.call('HMGET', key, 'used', 'at')
    local used = tonumber(state[1] or '0')
    used = math.max(0, used - math.max(0, now - tonumber(state[2] or '0')) * permits / span)
    -- What is exactly full or free is not decided by the last bit of a sum.
    local excess, rounding, wait = used + cost - permits, permits / 1e10, 0
    if excess > rounding then
        wait = math.max(1, math.ceil((excess - rounding / 2) * span / permits))
        heal(key, span)
    end
    local function whole() return math.max(0, math.ceil(used - rounding)) end
    return whole(), math.ceil(used * span / permits), wait, function()
        used = math.min(used + cost, math.max(permits, permits * longest_debt / span))
        local free = math.ceil(used * span / permits)
        redis.call('HSET', key, 'used', string.format('%.17g', used), 'at', now)
        redis.call('PEXPIRE', key, free + 1)
        return whole(), free
    end
end

-- A sorted set permit → when it ends unless its node renews it.
function algorithms.concurrency(key, permits, cost)
    local hold = tonumber(ARGV[3])
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    local used, wait = redis.call('ZCARD', key), 0
    if used + cost > permits then
        -- When a request ends nobody knows.
        wait = 1000
        heal(key, hold)
    end
    return used, 0, wait, function()
        redis.call('ZADD', key, now + hold, ARGV[2])
        redis.call('PEXPIRE', key, hold)
        return used + cost, 0
    end
end

local mode, admitted, reply, commits = ARGV[1], 1, {1}, {}
for i, key in ipairs(KEYS) do
    local at = 5 * i - 2
    local permits, cost = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local used, free, wait, commit = algorithms[ARGV[at + 1]](key, permits, cost, tonumber(ARGV[at + 4]))
    if wait == 0 or mode == 'settle' then commits[i] = commit end
    if wait > 0 and ARGV[at + 5] ~= '1' then admitted = 0 end
    if wait > 0 and cost > permits then wait = -1 end
    reply[3 * i - 1], reply[3 * i], reply[3 * i + 1] = used, free, wait
end

reply[1] = admitted
if mode == 'look' or (admitted == 0 and mode == 'charge') then return reply end
for i, commit in pairs(commits) do
    reply[3 * i - 1], reply[3 * i] = commit()
end
return reply
