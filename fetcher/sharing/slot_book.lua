-- fetcher's pacing.SlotBook.answer, in the server's time. Numbers travel as text: Redis would cut them to integers.
local EPSILON_S, AHEAD_S, FORGET_S = 2e-6, 1.0, 30.0
local KEPT_S = 7 * 86400 -- after the last exchange

local function number(text, default)
  if not text or text == "" then return default end
  if text == "inf" then return math.huge end
  if text == "-inf" then return -math.huge end
  return tonumber(text)
end

local function text(value)
  if value == math.huge then return "inf" end
  if value == -math.huge then return "-inf" end
  return string.format("%.17g", value)
end

local slots, cap_per_s, asked_gap_s = number(ARGV[1]), number(ARGV[2]), number(ARGV[3])
local lateness_s, delay_s, version = number(ARGV[4]), number(ARGV[5]), number(ARGV[6])
local calls_limit, unused = number(ARGV[7]), number(ARGV[8])

if redis.replicate_commands then redis.replicate_commands() end -- Redis before 7 needs it to read the clock
local clock = redis.call("TIME")
local now_s = tonumber(clock[1]) + tonumber(clock[2]) / 1e6

-- A server that was restarted may have lost what was leased last.
local info = redis.pcall("INFO", "server")
local run_id = type(info) == "string" and string.match(info, "run_id:(%w+)") or "unknown"

local names = { "next", "asked", "cap", "cap_asked", "lateness", "lateness_asked", "version", "calls",
  "resume", "rate", "last_bad", "streak", "run_id" }
local found, book = redis.call("HMGET", KEYS[1], unpack(names)), {}
for place, name in ipairs(names) do book[name] = found[place] end
local forgetful = not book.next or book.run_id ~= run_id

local next_s = number(book.next, -math.huge)
local last_s = number(book.asked, -math.huge)
local cap_now, cap_asked_s = number(book.cap, math.huge), number(book.cap_asked, -math.huge)
local late_now, late_asked_s = number(book.lateness, 0), number(book.lateness_asked, -math.huge)
local known, calls = number(book.version, 0), number(book.calls, 0)
local resume_s, rate_per_s = number(book.resume, -math.huge), number(book.rate, math.huge)
local last_bad_per_s, streak = number(book.last_bad, math.huge), number(book.streak, 0)

local back_s = last_s - now_s
if back_s > AHEAD_S then -- the clock was set back: all moves with it
  next_s, cap_asked_s, late_asked_s = next_s - back_s, cap_asked_s - back_s, late_asked_s - back_s
  resume_s = resume_s - back_s
else -- or trembles: it is waited for
  now_s = math.max(now_s, last_s)
end

local forget_s = math.max(FORGET_S, 3 / cap_now)
if slots > 0 then -- who only looks has no say
  if cap_per_s <= cap_now or now_s - cap_asked_s > forget_s then cap_now, cap_asked_s = cap_per_s, now_s end
  if lateness_s >= late_now or now_s - late_asked_s > forget_s then
    next_s = next_s + math.max(0, late_now - lateness_s)
    late_now, late_asked_s = lateness_s, now_s
  end
end

local cap = math.min(cap_now, cap_per_s)
local least_s = (math.max(1, 1 / cap) + late_now + EPSILON_S) / math.max(1, math.floor(cap))
local gap_s = math.max(asked_gap_s, least_s)
if forgetful then next_s = math.max(next_s, now_s + AHEAD_S + gap_s) end

if ARGV[9] and version == known then
  known = known + 1
  resume_s, rate_per_s = number(ARGV[9]), number(ARGV[10])
  last_bad_per_s, streak = number(ARGV[11]), number(ARGV[12])
  next_s = math.max(next_s, resume_s + gap_s)
end

calls = math.max(0, calls - unused)
local left = calls_limit and math.max(0, calls_limit - calls) or nil
local first_s = math.max(next_s, now_s + delay_s)
local room = math.floor((now_s + AHEAD_S - first_s) / gap_s) + 1
slots = math.max(0, math.min(slots, room, left or slots))
if slots > 0 then next_s, calls = first_s + slots * gap_s, calls + slots end

redis.call("HSET", KEYS[1], "next", text(next_s), "asked", text(now_s), "cap", text(cap_now),
  "cap_asked", text(cap_asked_s), "lateness", text(late_now), "lateness_asked", text(late_asked_s),
  "version", text(known), "calls", text(calls), "resume", text(resume_s), "rate", text(rate_per_s),
  "last_bad", text(last_bad_per_s), "streak", text(streak), "run_id", run_id)
redis.call("EXPIRE", KEYS[1], KEPT_S)

return { text(now_s), text(first_s), text(gap_s), text(slots), text(late_now), text(next_s), text(cap_now),
  text(known), text((left or slots) - slots), text(resume_s), text(rate_per_s), text(last_bad_per_s), text(streak) }
