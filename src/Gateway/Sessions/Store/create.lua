-- Begins a session. Where its subject has too many, the oldest end.
-- KEYS: the session, its subject's sessions (none: nobody's)
-- ARGV: the session's hash, data, window in ms (0: it does not slide), longest life in ms, most sessions of a subject
-- Returns: the hashes of those that ended.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local created, window, life = string.format('%d', now), tonumber(ARGV[3]), tonumber(ARGV[4])
local left = life
if window > 0 and window < life then left = window end

redis.call('HSET', KEYS[1], 'data', ARGV[2], 'created', created, 'seen', created, 'window', ARGV[3], 'ends', string.format('%d', now + life))
redis.call('PEXPIRE', KEYS[1], string.format('%d', left))

local ended = {}
if not KEYS[2] then return ended end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', created)
redis.call('ZADD', KEYS[2], string.format('%d', now + left), created .. ':' .. ARGV[1])
local members = redis.call('ZRANGE', KEYS[2], 0, -1)
-- The time of creation, which they begin with, has 13 digits for centuries. Of two in one ms, this one stays.
table.sort(members)
local over = #members - tonumber(ARGV[5])
for _, member in ipairs(members) do
    local hash = string.sub(member, #created + 2)
    if over > 0 and hash ~= ARGV[1] then
        redis.call('ZREM', KEYS[2], member)
        ended[#ended + 1] = hash
        over = over - 1
    end
end
if redis.call('PTTL', KEYS[2]) < life then redis.call('PEXPIRE', KEYS[2], string.format('%d', life)) end
return ended
