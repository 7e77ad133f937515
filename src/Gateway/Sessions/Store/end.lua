-- Ends one or all of a subject's sessions: what is not in the set is not accepted any more.
-- KEYS: the subject's sessions
-- ARGV: the session's hash, or empty: all
-- Returns: the hashes of those that ended.
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)))
local ended = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local hash = string.match(member, ':(%x+)$')
    if ARGV[1] == '' or hash == ARGV[1] then
        redis.call('ZREM', KEYS[1], member)
        ended[#ended + 1] = hash
    end
end
return ended
