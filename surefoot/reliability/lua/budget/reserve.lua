-- Choose the first rung that fits in every scope and hold its bound in all of them, or say why none does.
-- KEYS and ARGV: as in common.lua. Own ARGV: ms until an unused hold is released, then the bound of each rung.
-- Reply: 'go', 'never_fits', 'exhausted', 'in_flight' or 'window' (the caller's window is over); rung from 1;
-- number of the scope that decided or 0; ms until it is worth asking again; ms when it was held; ms now; epoch;
-- lines crossed; the books, where a scope decided or a line was crossed.
local at, rungs = now(), OWN - 1
local scopes = opened(at)
if not scopes then return { 'window', 0, 0, 0, 0, at, epoch(), '' } end

local function answer(word, rung, tight, wait, since)
  local lines = crossed(scopes, 'reserve ' .. HOLD, word == 'exhausted' and tight or 0)
  return closed(scopes, { word, rung, tight, wait, since, at, epoch(), lines }, tight == 0 and lines == '')
end

local before = #scopes > 0
for _, s in ipairs(scopes) do
  s.hold = live(s)
  before = before and s.hold
end
if before then return answer('go', before.rung, before.tight, 0, before.at) end
for _, s in ipairs(scopes) do
  if s.hold then over(s, HOLD, s.hold, at) end -- it is over in another scope, so in all
end

local function refusal(rung)
  local line = rung < rungs and 'soft' or 'limit'
  for i, s in ipairs(scopes) do
    if not fits(s, tonumber(ARGV[6 + rung]), s[line]) then return i end
  end
end

local tight = 0
for rung = 1, rungs do
  local bound, refused = tonumber(ARGV[6 + rung]), refusal(rung)
  if not refused then
    local since = string.format('%.0f', at)
    local hold = { state = 'reserved', attempt = 1, bound = bound, rung = rung, tight = tight, at = since }
    take(scopes, hold, at + tonumber(ARGV[6]))
    return answer('go', rung, tight, 0, at)
  end
  if tight == 0 then tight = refused end
end

local bound, worst, culprit = tonumber(ARGV[6 + rungs]), 0, 0
for i, s in ipairs(scopes) do
  local grade = fits(s, bound, s.limit) and 0 or bound > s.limit and 3 or bound > s.limit - s.settled and 2 or 1
  if grade > worst then worst, culprit = grade, i end
end
local wait = 0
if worst == 1 then
  local ends = redis.call('ZRANGE', scopes[culprit].ends, 0, 0, 'WITHSCORES')[2]
  wait = math.max(50, math.min(1000, ends and ends - at or 1000)) -- a hold ends with its call, within seconds
end
return answer(({ 'in_flight', 'exhausted', 'never_fits' })[worst], 0, culprit, wait, at)
