import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { axisTime, moneyShort } from "../../lib/format";
import type { Series } from "../../live/series";

const HEIGHT = 260;

interface RevenueChartProps {
  data: Series;
  /** Told the bucket under the pointer, or null. */
  onPoint: (index: number | null) => void;
}

/** Revenue as an area. Times are UTC. */
export function RevenueChart({ data, onPoint }: RevenueChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const latest = useRef(data);

  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const scheme = window.matchMedia("(prefers-color-scheme: dark)");
    const build = () => {
      chart.current?.destroy();
      chart.current = new uPlot(options(element, onPoint), columns(latest.current), element);
    };
    build();
    const resized = new ResizeObserver(() => chart.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    scheme.addEventListener("change", build);
    return () => {
      scheme.removeEventListener("change", build);
      resized.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [onPoint]);

  useEffect(() => {
    latest.current = data;
    chart.current?.setData(columns(data));
  }, [data]);

  return <div className="chart-canvas" ref={holder} aria-hidden="true" />;
}

const columns = (data: Series): uPlot.AlignedData => [data.times, data.revenue];

function options(element: HTMLElement, onPoint: (index: number | null) => void): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const font = `12px ${style.fontFamily}`;
  const axis = { stroke: colour("--ink-soft"), font, ticks: { show: false }, grid: { stroke: colour("--line"), width: 1 } };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
    cursor: { y: false, points: { size: 9 }, drag: { x: false, y: false } },
    hooks: { setCursor: [(chart) => onPoint(chart.cursor.idx ?? null)] },
    scales: { y: { range: (_chart, low, high) => [Math.min(0, low), high > 0 ? high * 1.08 : 1] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 30,
        space: 72,
        values: (_chart, marks, _axis, _space, step) => marks.map((mark) => axisTime(mark, step)),
      },
      { ...axis, size: 64, values: (_chart, marks) => marks.map((mark) => moneyShort(mark)) },
    ],
    series: [{}, { stroke: colour("--accent"), width: 2, fill: (chart) => fade(chart, colour("--accent")), points: { show: false } }],
  };
}

function fade(chart: uPlot, colour: string): CanvasGradient | string {
  const { top, height } = chart.bbox;
  // Asked once before the chart has been laid out.
  if (!Number.isFinite(top) || !Number.isFinite(height)) return "transparent";
  const gradient = chart.ctx.createLinearGradient(0, top, 0, top + height);
  gradient.addColorStop(0, `color-mix(in srgb, ${colour} 32%, transparent)`);
  gradient.addColorStop(1, `color-mix(in srgb, ${colour} 2%, transparent)`);
  return gradient;
}
