-- Tell how a call went. A report of another generation, or of a probe whose place was given away, changes nothing.
-- KEYS: as in common.lua.
-- ARGV: 1 token of the call, 2 generation, 3 verdict, 4 ms of Retry-After or 0; the policy: 5 failures, 6 window,
-- 7 consecutive, 8 open for, 9 open at most; 10 longest Retry-After that is believed. Times in ms.
-- Reply: the transition that this call caused, or ''.
local token, verdict, cause = ARGV[1], ARGV[3], 'report ' .. ARGV[1]
local at, b = now(), loaded()
local open_for, open_at_most = tonumber(ARGV[8]), tonumber(ARGV[9])
local retry_after = math.min(tonumber(ARGV[4]), tonumber(ARGV[10]))

if tonumber(ARGV[2]) ~= b.generation then return told(cause) end

if b.state == 'half_open' then
  if redis.call('ZREM', KEYS[4], token) == 0 or verdict == 'neutral' then return '' end
  if verdict == 'success' then return moved(b, 'closed', 'a probe succeeded', cause, at, 0, 0) end
  local span = math.min(math.max(b.span, open_for) * 2, open_at_most)
  local jitter = (at % 100003 * 31 + b.generation * 7919) % 1000 / 10000 -- up to a tenth shorter
  local wait = math.ceil(span * (1 - jitter))
  if verdict == 'throttled' and retry_after > 0 then wait = retry_after end
  return moved(b, 'open', 'a probe failed', cause, at, span, at + wait)
end
if b.state ~= 'closed' then return '' end

if verdict == 'success' then
  if redis.call('HDEL', KEYS[1], 'streak', 'throttles') > 0 then keep(IDLE) end
elseif verdict == 'throttled' then
  local throttles = cjson.decode(redis.call('HGET', KEYS[1], 'throttles') or '[]')
  for _, earlier in ipairs(throttles) do
    if earlier == token then return '' end
  end
  throttles[#throttles + 1] = token
  if #throttles >= 3 then
    local wait = retry_after > 0 and retry_after or open_for
    return moved(b, 'open', '3 times throttled in a row', cause, at, open_for, at + wait)
  end
  redis.call('HSET', KEYS[1], 'throttles', cjson.encode(throttles))
  keep(IDLE)
elseif verdict == 'failure' then
  local recent = 1
  for _, entry in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
    local ms, of = string.match(entry, '^(%d+) (.*)$')
    if of == token then return '' end
    if at - tonumber(ms) < tonumber(ARGV[6]) then recent = recent + 1 end
  end
  if recent >= tonumber(ARGV[5]) then
    local reason = string.format('%d failures within %g s', recent, tonumber(ARGV[6]) / 1000)
    return moved(b, 'open', reason, cause, at, open_for, at + open_for)
  end
  if b.streak + 1 >= tonumber(ARGV[7]) then
    return moved(b, 'open', (b.streak + 1) .. ' failures in a row', cause, at, open_for, at + open_for)
  end
  redis.call('LPUSH', KEYS[2], string.format('%.0f %s', at, token))
  redis.call('LTRIM', KEYS[2], 0, math.max(tonumber(ARGV[5]), tonumber(ARGV[7])) - 1)
  redis.call('HSET', KEYS[1], 'streak', b.streak + 1, 'window', ARGV[6])
  redis.call('HDEL', KEYS[1], 'throttles')
  keep(IDLE)
end
return ''
