#include "bench/load/svg_plot.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "vmm/os/file_descriptor.h"

namespace qm::bench {

namespace {

constexpr double kLeft = 70, kTop = 40, kWidth = 720, kHeight = 360;
constexpr const char* kColours[]{"#1b6ca8", "#c0392b", "#2e8b57", "#8e44ad", "#b8860b"};

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char letter : text) {
    if (letter == '<') {
      safe += "&lt;";
    } else if (letter == '&') {
      safe += "&amp;";
    } else {
      safe += letter;
    }
  }
  return safe;
}

// One direction: from values to places on the page.
class Axis {
 public:
  explicit Axis(Scale scale) : scale_(scale) {}

  bool has(double value) const { return scale_ == Scale::linear || value > 0; }
  void reach(double value) {
    if (!has(value)) return;
    least_ = std::min(least_, scaled(value));
    most_ = std::max(most_, scaled(value));
  }
  void settle() {
    if (scale_ == Scale::linear) least_ = std::min(least_, 0.0);
    if (scale_ == Scale::logarithmic) {
      least_ = std::floor(least_);
      most_ = std::ceil(most_);
    }
    if (!(most_ > least_)) {
      least_ = std::isfinite(least_) ? least_ : 0;
      most_ = least_ + 1;
    }
  }
  // 0 to 1.
  double place(double value) const { return (scaled(value) - least_) / (most_ - least_); }
  std::vector<double> ticks() const {
    std::vector<double> ticks;
    if (scale_ == Scale::logarithmic) {
      const int decades = static_cast<int>(most_ - least_);
      for (int i = 0; i <= decades; ++i) ticks.push_back(std::pow(10.0, least_ + i));
      return ticks;
    }
    constexpr int kParts = 5;
    for (int i = 0; i <= kParts; ++i) ticks.push_back(least_ + (most_ - least_) * i / kParts);
    return ticks;
  }

 private:
  double scaled(double value) const { return scale_ == Scale::logarithmic ? std::log10(value) : value; }

  Scale scale_;
  double least_ = HUGE_VAL, most_ = -HUGE_VAL;
};

double pageX(const Axis& axis, double value) {
  return kLeft + axis.place(value) * kWidth;
}
double pageY(const Axis& axis, double value) {
  return kTop + (1 - axis.place(value)) * kHeight;
}

std::string grid(const Axis& x, const Axis& y) {
  std::string text;
  for (const double tick : x.ticks())
    text += fmt::format(
        "<line x1='{0:.1f}' y1='{1}' x2='{0:.1f}' y2='{2}' class='g'/><text x='{0:.1f}' y='{3}' "
        "text-anchor='middle'>{4:.4g}</text>\n",
        pageX(x, tick), kTop, kTop + kHeight, kTop + kHeight + 16, tick);
  for (const double tick : y.ticks())
    text += fmt::format(
        "<line x1='{0}' y1='{2:.1f}' x2='{1}' y2='{2:.1f}' class='g'/><text x='{3}' y='{2:.1f}' "
        "text-anchor='end'>{4:.4g}</text>\n",
        kLeft, kLeft + kWidth, pageY(y, tick), kLeft - 6, tick);
  return text;
}

std::string drawn(const Curve& curve, std::size_t number, const Axis& x, const Axis& y) {
  const char* colour = kColours[number % std::size(kColours)];
  std::string text = fmt::format("<polyline fill='none' stroke='{}' points='", colour);
  for (const auto& [px, py] : curve.points)
    if (x.has(px) && y.has(py)) text += fmt::format("{:.1f},{:.1f} ", pageX(x, px), pageY(y, py));
  return text + fmt::format("'/>\n<text x='{}' y='{}' fill='{}'>{}</text>\n", kLeft + kWidth + 10,
                            kTop + 14 + 18 * static_cast<double>(number), colour, escaped(curve.name));
}

double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

std::string Plot::svg() const {
  Axis alongX(xScale), alongY(yScale);
  for (const Curve& curve : curves) {
    for (const auto& [px, py] : curve.points) {
      alongX.reach(px);
      alongY.reach(py);
    }
  }
  alongX.settle();
  alongY.settle();
  std::string text = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='{}' height='{}' font-family='sans-serif' font-size='12'>\n"
      "<style>.g{{stroke:#ddd}}</style><rect width='100%' height='100%' fill='white'/>\n"
      "<text x='{}' y='22' font-size='15'>{}</text>\n",
      kLeft + kWidth + 130, kTop + kHeight + 50, kLeft, escaped(title));
  text += grid(alongX, alongY);
  text += fmt::format("<text x='{}' y='{}' text-anchor='middle'>{}</text><text x='8' y='{}'>{}</text>\n",
                      kLeft + kWidth / 2, kTop + kHeight + 38, escaped(x), kTop - 6, escaped(y));
  for (std::size_t number = 0; number < curves.size(); ++number) text += drawn(curves[number], number, alongX, alongY);
  return text + "</svg>\n";
}

Plot latencyOverTime(const std::vector<RequestRecord>& records, std::chrono::nanoseconds patience) {
  std::map<std::int64_t, LatencyHistogram> bySecond;
  for (const RequestRecord& record : records) {
    const std::int64_t second = std::chrono::floor<std::chrono::seconds>(record.scheduled).count();
    bySecond[second].add(record.answered ? *record.answered - record.scheduled : patience);
  }
  Plot plot{.title = "scheduled → answer, by second", .x = "s", .y = "ms", .yScale = Scale::logarithmic};
  plot.curves = {{"p50", {}}, {"p99", {}}, {"max", {}}};
  for (const auto& [second, histogram] : bySecond) {
    const auto x = static_cast<double>(second);
    plot.curves[0].points.emplace_back(x, milliseconds(histogram.quantile(0.5)));
    plot.curves[1].points.emplace_back(x, milliseconds(histogram.quantile(0.99)));
    plot.curves[2].points.emplace_back(x, milliseconds(histogram.max()));
  }
  return plot;
}

Plot latencyDistribution(const std::map<std::string, LatencyHistogram>& byRoad) {
  Plot plot{.title = "scheduled → answer, by road", .x = "ms", .y = "% answered", .xScale = Scale::logarithmic};
  for (const auto& [road, histogram] : byRoad) {
    Curve curve{.name = road, .points = {}};
    for (const LatencyHistogram::Step& step : histogram.steps())
      curve.points.emplace_back(milliseconds(step.atMost),
                                100 * static_cast<double>(step.count) / static_cast<double>(histogram.count()));
    plot.curves.push_back(std::move(curve));
  }
  return plot;
}

Status writeSvg(const Plot& plot, const std::filesystem::path& path) {
  const std::string text = plot.svg();
  const FileDescriptor file = TRY(openFile(path, OpenMode::create));
  return writeAll(file, std::as_bytes(std::span(text)));
}

}  // namespace qm::bench
