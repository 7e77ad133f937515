-- Replaces what a link says; its identity, its visits and the time of its creation stay.
-- KEYS: link
-- ARGV: target, status, starts, expires, max (times in ms; an absent value is empty)
-- Returns: 0 if there is no such link, else 1 and the link: id, target, status, starts, expires, max, request, created.
if redis.call('EXISTS', KEYS[1]) == 0 then return {0, {}} end
local fields = {'target', 'status', 'starts', 'expires', 'max'}
for i, field in ipairs(fields) do redis.call('HSET', KEYS[1], field, ARGV[i]) end
return {1, redis.call('HMGET', KEYS[1], 'id', 'target', 'status', 'starts', 'expires', 'max', 'request', 'created')}
