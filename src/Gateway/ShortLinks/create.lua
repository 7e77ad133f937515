-- Creates a link, unless its slug is taken.
-- KEYS: link, visits, batches
-- ARGV: id, target, status, starts, expires, max, request (times in ms; an absent value is empty)
-- Returns: 1 if created, else 0; then the link that holds the slug now: id, target, status, starts, expires, max, request, created.
local fields = {'id', 'target', 'status', 'starts', 'expires', 'max', 'request'}
local created = 0
if redis.call('EXISTS', KEYS[1]) == 0 then
    local time = redis.call('TIME')
    for i, field in ipairs(fields) do redis.call('HSET', KEYS[1], field, ARGV[i]) end
    redis.call('HSET', KEYS[1], 'created', string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)))
    redis.call('DEL', KEYS[2], KEYS[3])
    created = 1
end
return {created, redis.call('HMGET', KEYS[1], 'id', 'target', 'status', 'starts', 'expires', 'max', 'request', 'created')}
