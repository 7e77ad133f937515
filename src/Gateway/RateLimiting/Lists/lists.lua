-- Changes the allow and deny lists, or only reads them. Nodes put back what Redis lost, which the version tells.
-- KEYS: the lists, a hash
-- ARGV: version the node knows; read, add, remove or restore; most entries; then (id, entry)... or, to remove, the id.
--       An entry begins with when it ends, in ms since 1970.
-- Returns: version, 1 if it was done, then (id, entry)... unless the node knows this version
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local known, action = tonumber(ARGV[1]), ARGV[2]
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')

local function size() return redis.call('HLEN', KEYS[1]) - 1 end

local function drop_ended()
    local all = redis.call('HGETALL', KEYS[1])
    for i = 1, #all, 2 do
        local ends = tonumber(string.match(all[i + 1], '^(%d+) '))
        if all[i] ~= 'version' and ends and ends <= now then redis.call('HDEL', KEYS[1], all[i]) end
    end
end

local done = 1
if action == 'restore' then
    -- Unless another node was faster: then this one takes what that one knew.
    done = version < known and 1 or 0
    if done == 1 then
        for i = 4, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
        version = known + 1
        redis.call('HSET', KEYS[1], 'version', version)
    end
elseif action == 'add' then
    drop_ended()
    if redis.call('HEXISTS', KEYS[1], ARGV[4]) == 0 and size() >= tonumber(ARGV[3]) then
        done = 0
    else
        redis.call('HSET', KEYS[1], ARGV[4], ARGV[5])
        version = redis.call('HINCRBY', KEYS[1], 'version', 1)
    end
elseif action == 'remove' then
    done = redis.call('HDEL', KEYS[1], ARGV[4])
    if done == 1 then version = redis.call('HINCRBY', KEYS[1], 'version', 1) end
end

local reply = {version, done}
if version == known then return reply end
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
    if all[i] ~= 'version' then
        reply[#reply + 1] = all[i]
        reply[#reply + 1] = all[i + 1]
    end
end
return reply
