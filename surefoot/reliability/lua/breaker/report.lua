-- Tell how a call went. A report of another generation, or of a probe whose place was given away, changes nothing.
-- KEYS: as in common.lua.
-- ARGV: 1 token of the call, 2 generation, 3 verdict, 4 ms of Retry-After or 0; the policy: 5 failures, 6 window,
-- 7 consecutive, 8 open for, 9 open at most; 10 longest Retry-After that is believed; 11 percent that failed, 12
-- percent that was slow, 13 the fewest calls that make a share; 14 1 if the call was slow. Times in ms; what the
-- policy does not open on is 0.
-- Reply: the transition that this call caused, or ''.
local token, verdict, cause = ARGV[1], ARGV[3], 'report ' .. ARGV[1]
local at, b = now(), loaded()
local open_for, open_at_most = tonumber(ARGV[8]), tonumber(ARGV[9])
local retry_after = math.min(tonumber(ARGV[4]), tonumber(ARGV[10]))
local slow = ARGV[14] == '1' and ARGV[12] ~= '0'

if tonumber(ARGV[2]) ~= b.generation then return told(cause) end

if b.state == 'half_open' then
  if redis.call('ZREM', KEYS[4], token) == 0 or verdict == 'neutral' then return '' end
  if verdict == 'success' and not slow then return moved(b, 'closed', 'a probe succeeded', cause, at, 0, 0) end
  local span, wait = longer(b, open_for, open_at_most, at)
  if verdict == 'throttled' and retry_after > 0 then wait = retry_after end
  return moved(b, 'open', verdict == 'success' and 'a probe was slow' or 'a probe failed', cause, at, span, at + wait)
end
if b.state ~= 'closed' then return '' end

local function open(reason, wait)
  return moved(b, 'open', reason, cause, at, open_for, at + (wait or open_for))
end

if verdict == 'throttled' then
  local throttles = cjson.decode(redis.call('HGET', KEYS[1], 'throttles') or '[]')
  for _, earlier in ipairs(throttles) do
    if earlier == token then return '' end
  end
  throttles[#throttles + 1] = token
  if #throttles >= 3 then return open('3 times throttled in a row', retry_after > 0 and retry_after or nil) end
  redis.call('HSET', KEYS[1], 'throttles', cjson.encode(throttles))
  keep(IDLE)
elseif verdict ~= 'neutral' then
  local reason = verdict == 'failure' and counted(b, token, at, tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])) or
    shared(token, at, verdict == 'failure', slow, ARGV[6], tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13]))
  if reason then return open(reason) end
  local changed = verdict == 'failure' or mended(token, at)
  if changed or ARGV[11] ~= '0' or ARGV[12] ~= '0' then keep(IDLE) end
end
return ''
