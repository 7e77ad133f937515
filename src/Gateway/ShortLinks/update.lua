-- Replaces what a link says; its identity, its visits and the time of its creation stay. Begins with fields.lua.
-- KEYS: link
-- ARGV: target to password (times in ms; an absent value is empty)
-- Returns: 0 if there is no such link, else 1; the link; the tags it had before, parted by spaces.
if redis.call('EXISTS', KEYS[1]) == 0 then return {0, {}, ''} end
local tags = redis.call('HGET', KEYS[1], 'tags') or ''
describe(KEYS[1], 1)
return {1, read(KEYS[1]), tags}
