// How sparse weights choose their entries, on words where it is hard: equal, few different, in order; and what marks them.
#include <algorithm>
#include <vector>

#include "check.hpp"
#include "cpu/dispatch.hpp"
#include "cpu/mask.hpp"
#include "cpu/mask_bits.hpp"
#include "cpu/scheme_kernels.hpp"
#include "random_words.hpp"

namespace check {
namespace {

using Words = std::vector<uint32_t>;

const fanin::SchemeKernels& kernels() { return *fanin::cpu::active_kernels().schemes; }

// Every way to be unlike random words, and random ones, of which `bits` are.
Words make_words(int kind, size_t count, RandomWords& random) {
  Words words(count);
  for (size_t i = 0; i < count; ++i) {
    const auto any = uint32_t(random());
    const uint32_t kinds[] = {any,         any & 1,     any | 0xfffffffe, any & 0xf0000000, any & 15,       0,
                              0xffffffffu, uint32_t(i), ~uint32_t(i),     any % 3 * 77,     any >> (i % 32)};
    words[i] = kinds[kind];
  }
  return words;
}
constexpr int kKinds = 11;

void cuts(Tally& tally) {
  RandomWords random{1};
  for (const size_t count : {1, 2, 3, 5, 16, 63, 64, 65, 127, 128, 200, 1000, 5000}) {
    for (int kind = 0; kind < kKinds; ++kind) {
      Words words = make_words(kind, count, random);
      std::vector<uint64_t> sorted;  // each word, and below it its place
      for (size_t i = 0; i < count; ++i)
        sorted.push_back(uint64_t(words[i]) << 32 | i);
      std::sort(sorted.begin(), sorted.end());
      words.resize(count + fanin::kWholeRegisters);
      for (const size_t wanted : {size_t(1), size_t(2), count / 10, count / 2, count - 1}) {
        if (wanted < 1 || wanted >= count) continue;
        int counts = 0;
        const fanin::Cut cut = fanin::find_cut(int64_t(count), int64_t(wanted), [&](uint32_t bound) {
          ++counts;
          return kernels().count_below(words.data(), int64_t(count), bound);
        });
        const fanin::Cut same = kernels().cut(words.data(), int64_t(count), int64_t(wanted));
        std::vector<uint64_t> bits(count / 64 + 1);
        kernels().below(words.data(), int64_t(count), cut.bound, bits.data());
        size_t chosen = 0, wrong = 0;
        int64_t ties = cut.ties;
        for (size_t i = 0; i < count; ++i) {
          const bool is = (bits[i / 64] >> i % 64 & 1) != 0 || (words[i] == cut.bound && ties-- > 0);
          chosen += is;
          wrong += is != ((uint64_t(words[i]) << 32 | i) <= sorted[wanted - 1]);
        }
        tally.expect(chosen == wanted && wrong == 0 && counts < 40 && same.bound == cut.bound && same.ties == cut.ties,
                     [&] {
                       return "find_cut of " + std::to_string(wanted) + " of " + std::to_string(count) +
                              " words of kind " + std::to_string(kind) + ": found " + std::to_string(chosen) + ", " +
                              std::to_string(wrong) + " wrong, in " + std::to_string(counts) + " counts";
                     });
      }
    }
  }
}

void counts(Tally& tally) {
  RandomWords random{2};
  for (const size_t count : {1, 15, 63, 64, 65, 127, 130, 1000}) {
    Words words = make_words(4, count, random);
    words.resize(count + fanin::kWholeRegisters);
    for (uint32_t bound = 0; bound < 17; ++bound) {
      const auto below =
          std::count_if(words.begin(), words.begin() + int64_t(count), [&](uint32_t w) { return w < bound; });
      tally.expect(kernels().count_below(words.data(), int64_t(count), bound) == below,
                   [&] { return "count of " + std::to_string(count) + " words below " + std::to_string(bound); });
    }
  }
}

template <class T>
void keeps(Tally& tally) {
  RandomWords random{3};
  for (const size_t count : {0, 1, 7, 64, 100, 513}) {
    std::vector<uint64_t> bits(count / 64 + 1);
    for (auto& b : bits)
      b = random();
    std::vector<T> data(count + 1, T(~T(0)));
    kernels().keep(bits.data(), int64_t(count), sizeof(T), data.data());
    bool right = data[count] == T(~T(0));
    for (size_t i = 0; i < count; ++i)
      right = right && data[i] == (bits[i / 64] >> i % 64 & 1 ? T(~T(0)) : T(0));
    tally.expect(right, [&] { return "keep of " + std::to_string(count) + " elements"; });
  }
}

void transposed(Tally& tally) {
  RandomWords random{4};
  uint64_t words[64], result[64];
  for (int i = 0; i < 64; ++i)
    result[i] = words[i] = random();
  fanin::cpu::transpose_bits(result);
  bool right = true;
  for (int r = 0; r < 64; ++r)
    for (int c = 0; c < 64; ++c)
      right = right && (result[c] >> r & 1) == (words[r] >> c & 1);
  tally.expect(right, [] { return std::string("transpose_bits"); });
}

// Bits written in pieces, and masks of every row length read in pieces.
void masks(Tally& tally) {
  RandomWords random{5};
  for (const int64_t row : {1, 3, 63, 64, 65, 130, 1000}) {
    const int64_t rows = 2000 / row + 2, pitch = (row + 63) / 64;
    std::vector<bool> expected;
    std::vector<uint64_t> words(size_t(rows * pitch), ~uint64_t(0));
    for (int64_t r = 0; r < rows; ++r) {
      fanin::cpu::BitWriter writer(&words[size_t(r * pitch)], 1);
      for (int64_t c = 0; c < row;) {
        const int64_t n = std::min<int64_t>(row - c, 1 + int64_t(random() % 64));
        const uint64_t bits = random() >> (64 - n);
        writer.put(bits, n);
        for (int64_t i = 0; i < n; ++i)
          expected.push_back(bits >> i & 1);
        c += n;
      }
    }
    const fanin::cpu::Mask mask{words.data(), row, pitch, 1};
    for (const int64_t begin : {int64_t(0), int64_t(1), int64_t(64), row, int64_t(777)}) {
      for (const int64_t count : {1, 63, 64, 65, 200, 1024}) {
        uint64_t bits[16];
        mask.read(begin, count, bits);
        bool right = true;
        for (int64_t i = 0; i < count; ++i)
          right = right && (bits[i / 64] >> i % 64 & 1) == uint64_t(expected[size_t(begin + i)]);
        tally.expect(right, [&] {
          return "mask of rows of " + std::to_string(row) + ", " + std::to_string(count) + " elements from " +
                 std::to_string(begin);
        });
      }
    }
  }
}

}  // namespace

void selection(Tally& tally) {
  cuts(tally);
  counts(tally);
  keeps<uint16_t>(tally);
  keeps<uint32_t>(tally);
  keeps<uint64_t>(tally);
  transposed(tally);
  masks(tally);
}

}  // namespace check
