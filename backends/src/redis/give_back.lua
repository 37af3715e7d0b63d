-- Gives back what was spent in a window and not used, where the window still lasts.
--   KEYS[1]  the bucket
--   ARGV[1]  the beginning of the window, in microseconds
--   ARGV[2]  how much
-- Answers {1 given back | 0 lapsed | -1 not a bucket of ours, the bucket as it was}.
local held = redis.call('GET', KEYS[1])
if not held then
  return { 0, '' }
end
local mark, current, previous = string.match(held, '^1 (%d+) (%d+) (%d+)$')
if not mark then
  return { -1, '' }
end
if tonumber(mark) ~= tonumber(ARGV[1]) then
  return { 0, held }
end
local left = math.max(tonumber(current) - tonumber(ARGV[2]), 0)
redis.call('SET', KEYS[1], string.format('1 %s %.0f %s', mark, left, previous), 'KEEPTTL')
return { 1, held }
