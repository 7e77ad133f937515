-- Decides all limits of a request at once: it is counted in all of them, or in none.
-- KEYS: one counter per limit
-- ARGV: per limit: permit limit, window in ms
-- Returns: 1 if admitted, else 0; then per limit: requests counted, ms until its window ends.
local admitted = 1
local reply = {admitted}
for i, key in ipairs(KEYS) do
    local limit, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local count = tonumber(redis.call('GET', key) or '0')
    local left = redis.call('PTTL', key)
    -- A counter without an end would refuse its client for ever.
    if left == -1 then redis.call('PEXPIRE', key, window) end
    if left < 0 then left = window end
    if count >= limit then admitted = 0 end
    reply[2 * i], reply[2 * i + 1] = count, left
end

reply[1] = admitted
if admitted == 0 then return reply end
for i, key in ipairs(KEYS) do
    local count = redis.call('INCR', key)
    if count == 1 then redis.call('PEXPIRE', key, ARGV[2 * i]) end
    reply[2 * i] = count
end
return reply
