-- Lists the nodes that polled lately.
-- KEYS: meta, nodes, applied
-- Returns: epoch, Redis time in ms, then (node, time of its last poll in ms, "epoch number" it had applied)...
local time = redis.call('TIME')
local reply = {redis.call('HGET', KEYS[1], 'epoch') or '0', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)}
local nodes = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
for i = 1, #nodes, 2 do
    reply[#reply + 1] = nodes[i]
    reply[#reply + 1] = nodes[i + 1]
    reply[#reply + 1] = redis.call('HGET', KEYS[3], nodes[i]) or '0 0'
end
return reply
