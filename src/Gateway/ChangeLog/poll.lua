-- Announces a node and reads on from its position.
-- KEYS: meta, selectors, records, nodes, applied
-- ARGV: node id, its epoch, number, record id, epoch to begin when the log is not the one it read, most changes,
--       ms after which a silent node is forgotten
-- Returns: epoch, head, floor, Redis time (s, µs), number reached, record id there, then (selector, number)...
-- An epoch other than the node's own says that it must start over.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local epoch = redis.call('HGET', KEYS[1], 'epoch')
local head = tonumber(redis.call('HGET', KEYS[1], 'head') or '0')
local known, number, record = ARGV[2], tonumber(ARGV[3]), ARGV[4]

-- The log was set back (an old snapshot, a failover that lost writes) when it lacks the record the node read last,
-- though it should still keep one of that number. Only the record proves it: numbers are given again.
local function was_set_back()
    if number > head then return true end
    if record == '' then return false end
    local found = redis.call('ZSCORE', KEYS[3], record)
    if found then return tonumber(found) ~= number end
    local oldest = redis.call('ZRANGE', KEYS[3], 0, 0, 'WITHSCORES')
    return not oldest[2] or tonumber(oldest[2]) <= number
end

-- An epoch lower than the node's own came back with the log that was set back to it: what is stored under it is in doubt.
if not epoch or tonumber(epoch) < tonumber(known) or (epoch == known and was_set_back()) then
    local next_epoch = math.max(tonumber(ARGV[5]), tonumber(known) + 1, tonumber(epoch or '0') + 1)
    epoch = string.format('%.0f', next_epoch)
    redis.call('HSET', KEYS[1], 'epoch', epoch)
end
local floor = redis.call('HGET', KEYS[1], 'floor') or '0'

redis.call('ZADD', KEYS[4], now, ARGV[1])
redis.call('HSET', KEYS[5], ARGV[1], known .. ' ' .. ARGV[3])
local silent = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now - tonumber(ARGV[7]))
for _, node in ipairs(silent) do
    redis.call('ZREM', KEYS[4], node)
    redis.call('HDEL', KEYS[5], node)
end

local reply = {epoch, head, floor, time[1], time[2], head, ''}
if epoch ~= known then return reply end

if number < head then
    local most = tonumber(ARGV[6])
    local changes = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. number, '+inf', 'WITHSCORES', 'LIMIT', 0, most)
    for _, part in ipairs(changes) do reply[#reply + 1] = part end
    if #changes == 2 * most then reply[6] = tonumber(changes[#changes]) end
end
reply[7] = redis.call('ZRANGEBYSCORE', KEYS[3], reply[6], reply[6])[1] or ''
return reply
