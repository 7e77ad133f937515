-- Adds a batch of visits, unless it was added before: a node sends a batch again when it got no answer. Begins with statistics.lua.
-- KEYS: link, visits, batches, statistics
-- ARGV: the link's id, node, batch number (rising per node), visits, then (day, referring host, visits)...
-- Returns: the link's visits with this batch; 0 if it was added before, -1 if the link is gone.
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return -1 end
local time = redis.call('TIME')
local now = tonumber(time[1])
local function parse(value)
    local batch, at = string.match(value, '^(%d+) (%d+)$')
    return tonumber(batch), tonumber(at)
end

local last = redis.call('HGET', KEYS[3], ARGV[2])
if last and parse(last) >= tonumber(ARGV[3]) then return 0 end
local total = redis.call('INCRBY', KEYS[2], ARGV[4])
redis.call('HSET', KEYS[3], ARGV[2], ARGV[3] .. ' ' .. string.format('%.0f', now))
for i = 5, #ARGV, 3 do note(KEYS[4], ARGV[i], ARGV[i + 1], ARGV[i + 2]) end

-- Nodes get a new name at each start: those that were silent for a day will not send a batch again.
local day = 86400
redis.call('EXPIRE', KEYS[3], day)
if redis.call('HLEN', KEYS[3]) > 16 then
    local known = redis.call('HGETALL', KEYS[3])
    for i = 1, #known, 2 do
        local _, at = parse(known[i + 1])
        if at < now - day then redis.call('HDEL', KEYS[3], known[i]) end
    end
end
return total
