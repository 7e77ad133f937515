-- Lists the nodes that polled lately, and tells whether the log still has a change.
-- KEYS: meta, nodes, applied, records
-- ARGV: the change's epoch, number, and record id (empty: no change is asked for)
-- Returns: epoch, Redis time in ms, 1 if the log has the change or began a new epoch since,
--          then (node, time of its last poll in ms, "epoch number" it had applied)...
local epoch = redis.call('HGET', KEYS[1], 'epoch') or '0'

local function has_change(number, record)
    if record == '' or epoch ~= ARGV[1] then return true end
    local found = redis.call('ZSCORE', KEYS[4], record)
    if found then return tonumber(found) == number end
    -- Trimmed, where all records that are left are younger.
    local oldest = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
    return oldest[2] and tonumber(oldest[2]) > number
end

local time = redis.call('TIME')
local reply = {epoch, tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)}
reply[3] = has_change(tonumber(ARGV[2]), ARGV[3]) and 1 or 0
local nodes = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for i = 1, #nodes, 2 do
    reply[#reply + 1] = nodes[i]
    reply[#reply + 1] = nodes[i + 1]
    reply[#reply + 1] = redis.call('HGET', KEYS[3], nodes[i]) or '0 0'
end
return reply
