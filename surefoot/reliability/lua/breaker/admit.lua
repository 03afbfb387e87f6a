-- Let a call through or refuse it. An open breaker whose time is over becomes half-open; a half-open one whose
-- probes all died without a word becomes open, unless it has been quiet for as long as it would have been open.
-- KEYS: as in common.lua.
-- ARGV: 1 token of the call, 2 probes at a time, 3 lease of a probe, 4 open for, 5 open at most, 6 half-open at
-- most; 7 token of a call that was given up for this one or ''. Times in ms.
-- Reply: 'pass' or 'refuse', generation, 1 if it is a probe, ms until the next try (-1: nobody knows), episode,
-- the transition that this call caused or ''.
local token, places, lease, cause = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), 'admit ' .. ARGV[1]
local at, b, transition = now(), loaded(), ''

local function refuse(wait, told_again)
  return { 'refuse', b.generation, 0, wait, episode_of(b), told_again or transition }
end

if b.state == 'closed' or b.state == 'disabled' then return { 'pass', b.generation, 0, 0, '', '' } end
if b.state == 'forced_open' then return refuse(-1) end
if b.state == 'open' then
  if at < b.open_until then return refuse(b.open_until - at, told(cause, b.generation)) end
  transition = moved(b, 'half_open', 'the open span is over', cause, at, b.span, 0)
else
  transition = told(cause, b.generation)
end

redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', at)
redis.call('ZREM', KEYS[4], ARGV[7])
if not redis.call('ZSCORE', KEYS[4], token) then
  if redis.call('ZCARD', KEYS[4]) >= places then
    return refuse(redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')[2] - at)
  end
  local over = b.since + tonumber(ARGV[6])
  if at >= over then
    local span, wait = longer(b, tonumber(ARGV[4]), tonumber(ARGV[5]), over)
    if at < over + wait then
      transition = moved(b, 'open', 'no probe said how it went', cause, at, span, over + wait)
      return refuse(over + wait - at)
    end
    redis.call('HSET', KEYS[1], 'since', string.format('%.0f', at))
  end
end
redis.call('ZADD', KEYS[4], at + lease, token)
return { 'pass', b.generation, 1, 0, episode_of(b), transition }
