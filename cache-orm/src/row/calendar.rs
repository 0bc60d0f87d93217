//! Days and times of day, free of the crate (`chrono` or `time`) that a model has them from.

use sea_orm::{
    prelude::{ChronoDate, ChronoDateTime, ChronoTime, TimeDate, TimeDateTime, TimeTime},
    sea_query::value::prelude::{
        chrono::{Datelike, Timelike},
        time::Month,
    },
};

/// A day of the proleptic Gregorian calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) year: i32,
    pub(super) month: u8,
    pub(super) day: u8,
}

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimeOfDay {
    /// Since midnight.
    pub(super) second: u32,
    /// A billion and more inside a leap second, as `chrono` has it.
    pub(super) nano: u32,
}

/// A point on a calendar and clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) day: Day,
    pub(super) time_of_day: TimeOfDay,
}

impl From<ChronoDate> for Day {
    fn from(date: ChronoDate) -> Self {
        Day { year: date.year(), month: date.month() as u8, day: date.day() as u8 }
    }
}

impl From<TimeDate> for Day {
    fn from(date: TimeDate) -> Self {
        let (year, month, day) = date.to_calendar_date();
        Day { year, month: month.into(), day }
    }
}

impl Day {
    pub(super) fn to_chrono(self) -> Option<ChronoDate> {
        ChronoDate::from_ymd_opt(self.year, self.month.into(), self.day.into())
    }

    pub(super) fn to_time(self) -> Option<TimeDate> {
        TimeDate::from_calendar_date(self.year, Month::try_from(self.month).ok()?, self.day).ok()
    }
}

impl From<ChronoTime> for TimeOfDay {
    fn from(time: ChronoTime) -> Self {
        TimeOfDay { second: time.num_seconds_from_midnight(), nano: time.nanosecond() }
    }
}

impl From<TimeTime> for TimeOfDay {
    fn from(time: TimeTime) -> Self {
        let (hour, minute, second, nano) = time.as_hms_nano();
        TimeOfDay { second: (u32::from(hour) * 60 + u32::from(minute)) * 60 + u32::from(second), nano }
    }
}

impl TimeOfDay {
    pub(super) fn to_chrono(self) -> Option<ChronoTime> {
        // In two steps: chrono's arithmetic can leave a leap second where its constructors refuse one.
        ChronoTime::from_num_seconds_from_midnight_opt(self.second, 0)?.with_nanosecond(self.nano)
    }

    pub(super) fn to_time(self) -> Option<TimeTime> {
        let TimeOfDay { second, nano } = self;
        let part = |number: u32| u8::try_from(number).ok();
        TimeTime::from_hms_nano(part(second / 3600)?, part(second / 60 % 60)?, part(second % 60)?, nano).ok()
    }
}

impl From<ChronoDateTime> for Moment {
    fn from(moment: ChronoDateTime) -> Self {
        Moment { day: moment.date().into(), time_of_day: moment.time().into() }
    }
}

impl From<TimeDateTime> for Moment {
    fn from(moment: TimeDateTime) -> Self {
        Moment { day: moment.date().into(), time_of_day: moment.time().into() }
    }
}

impl Moment {
    pub(super) fn to_chrono(self) -> Option<ChronoDateTime> {
        Some(ChronoDateTime::new(self.day.to_chrono()?, self.time_of_day.to_chrono()?))
    }

    pub(super) fn to_time(self) -> Option<TimeDateTime> {
        Some(TimeDateTime::new(self.day.to_time()?, self.time_of_day.to_time()?))
    }
}
