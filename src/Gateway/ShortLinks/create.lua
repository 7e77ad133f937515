-- Creates a link, unless its slug is taken. Begins with fields.lua.
-- KEYS: link, visits, batches, statistics, guesses
-- ARGV: id, request, visits to begin with, then target to password (times in ms; an absent value is empty)
-- Returns: 1 if created, else 0; then the link that holds the slug now.
local created = 0
if redis.call('EXISTS', KEYS[1]) == 0 then
    local time = redis.call('TIME')
    redis.call('HSET', KEYS[1], 'id', ARGV[1],
        'created', string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)))
    if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'request', ARGV[2]) end
    describe(KEYS[1], 4)
    redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
    if ARGV[3] ~= '0' then redis.call('SET', KEYS[2], ARGV[3]) end
    created = 1
end
return {created, read(KEYS[1])}
