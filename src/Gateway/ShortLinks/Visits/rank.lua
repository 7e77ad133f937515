-- Notes which links are followed most, and forgets the least followed when there are too many.
-- KEYS: this hour, this day, all time
-- ARGV: most links kept, seconds to keep the hour, seconds to keep the day, then (slug, visits now, visits in total)...
local most = tonumber(ARGV[1])
for i = 4, #ARGV, 3 do
    redis.call('ZINCRBY', KEYS[1], ARGV[i + 1], ARGV[i])
    redis.call('ZINCRBY', KEYS[2], ARGV[i + 1], ARGV[i])
    -- Nodes come late with totals that others have passed already.
    local total = redis.call('ZSCORE', KEYS[3], ARGV[i])
    if not total or tonumber(total) < tonumber(ARGV[i + 2]) then redis.call('ZADD', KEYS[3], ARGV[i + 2], ARGV[i]) end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[3])

-- A tenth over, so that a link new to the ranking has time to rise before the least followed are dropped.
for _, key in ipairs(KEYS) do
    local count = redis.call('ZCARD', key)
    if count > most + math.floor(most / 10) then redis.call('ZREMRANGEBYRANK', key, 0, count - most - 1) end
end
return 1
