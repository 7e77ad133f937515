-- Numbers changes, writes them, trims, and hints at them on the channel: one step, so that numbers have no holes.
-- KEYS: meta, selectors, records
-- ARGV: epoch to begin when there is none, channel, most selectors, most records, then (record id, selector)...
-- Returns: epoch, number of the first change, number of the last.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
    epoch = ARGV[1]
    redis.call('HSET', KEYS[1], 'epoch', epoch)
end

-- Floored, because Lua 5.4 (the embedded server) writes the quotient as 2.0.
local count = math.floor((#ARGV - 4) / 2)
local head = redis.call('HINCRBY', KEYS[1], 'head', count)
for i = 1, count do
    local number = head - count + i
    redis.call('ZADD', KEYS[3], number, ARGV[3 + 2 * i])
    redis.call('ZADD', KEYS[2], number, ARGV[4 + 2 * i])
end

local most_records = tonumber(ARGV[4])
if redis.call('ZCARD', KEYS[3]) > most_records then
    redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -most_records - 1)
end

-- A tenth at a time: each rise of the floor makes everything stored before it be revalidated.
local most_selectors = tonumber(ARGV[3])
if redis.call('ZCARD', KEYS[2]) > most_selectors then
    local last = math.floor(most_selectors / 10)
    local highest = redis.call('ZRANGE', KEYS[2], last, last, 'WITHSCORES')
    redis.call('HSET', KEYS[1], 'floor', highest[2])
    redis.call('ZREMRANGEBYRANK', KEYS[2], 0, last)
end

redis.call('PUBLISH', ARGV[2], '')
return {epoch, head - count + 1, head}
