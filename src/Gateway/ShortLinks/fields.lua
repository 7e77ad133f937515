-- The beginning of create.lua and update.lua: the fields of a link, in the order of ShortLink.Fields.
local described = {'target', 'status', 'starts', 'expires', 'max', 'tags', 'forward', 'expired', 'password'}

-- Writes what a link says, from ARGV[first] on. Absent values (empty) take no room; '=' keeps a field as it is.
local function describe(key, first)
    for i, field in ipairs(described) do
        local value = ARGV[first + i - 1]
        if value == '' then
            redis.call('HDEL', key, field)
        elseif value ~= '=' then
            redis.call('HSET', key, field, value)
        end
    end
end

local function read(key)
    return redis.call('HMGET', key, 'id', 'request', 'created',
        'target', 'status', 'starts', 'expires', 'max', 'tags', 'forward', 'expired', 'password')
end
