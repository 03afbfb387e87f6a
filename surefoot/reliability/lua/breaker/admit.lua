-- Let a call through or refuse it; an open breaker whose time is over becomes half-open.
-- KEYS: as in common.lua.
-- ARGV: 1 token of the call, 2 probes at a time, 3 lease of a probe in ms.
-- Reply: 'pass' or 'refuse', generation, 1 if it is a probe, ms until the next try (-1: nobody knows), episode,
-- the transition that this call caused or ''.
local token, places, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local at, b, transition = now(), loaded(), ''

if b.state == 'closed' or b.state == 'disabled' then return { 'pass', b.generation, 0, 0, '', '' } end
if b.state == 'forced_open' then return { 'refuse', b.generation, 0, -1, episode_of(b), '' } end
if b.state == 'open' then
  if at < b.open_until then return { 'refuse', b.generation, 0, b.open_until - at, episode_of(b), '' } end
  transition = moved(b, 'half_open', 'the open span is over', 'admit ' .. token, at, b.span, 0)
elseif redis.call('ZSCORE', KEYS[4], token) then
  transition = told('admit ' .. token)
end

redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', at)
if redis.call('ZCARD', KEYS[4]) >= places and not redis.call('ZSCORE', KEYS[4], token) then
  local first = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
  return { 'refuse', b.generation, 0, first[2] - at, episode_of(b), transition }
end
redis.call('ZADD', KEYS[4], at + lease, token)
return { 'pass', b.generation, 1, 0, episode_of(b), transition }
