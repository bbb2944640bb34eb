package calendar

import (
	"slices"
	"time"
)

// The table of holidays. What a law gives to single municipalities is a region of its own and never in the larger one.
// Sources are the holiday acts of the states, and in the United Kingdom the Banking and Financial Dealings Act 1971 with
// the royal proclamations.
var regions = slices.Concat(germany, austria, switzerland, unitedKingdom)

// Holidays that several German states keep.
var (
	epiphany      = on("Heilige Drei Könige", fixed(time.January, 6))
	womensDay     = on("Internationaler Frauentag", fixed(time.March, 8))
	corpusChristi = on("Fronleichnam", easter(60))
	assumption    = on("Mariä Himmelfahrt", fixed(time.August, 15))
	reformation   = on("Reformationstag", fixed(time.October, 31))
	allSaints     = on("Allerheiligen", fixed(time.November, 1))
)

var germany = []region{
	{code: "DE", name: "Germany", note: "only what all states keep", rules: []rule{
		on("Neujahr", fixed(time.January, 1)),
		on("Karfreitag", easter(-2)),
		on("Ostermontag", easter(1)),
		on("Tag der Arbeit", fixed(time.May, 1)),
		on("Christi Himmelfahrt", easter(39)),
		on("Pfingstmontag", easter(50)),
		on("Tag der Deutschen Einheit", fixed(time.October, 3)),
		reformation.only(2017),
		on("1. Weihnachtstag", fixed(time.December, 25)),
		on("2. Weihnachtstag", fixed(time.December, 26)),
	}},
	{code: "DE-BW", name: "Baden-Württemberg", within: "DE", rules: []rule{epiphany, corpusChristi, allSaints}},
	{code: "DE-BY", name: "Bavaria", within: "DE", note: "without Mariä Himmelfahrt, which depends on the municipality",
		rules: []rule{epiphany, corpusChristi, allSaints}},
	{code: "DE-BY-KATH", name: "Bavaria, municipalities with more Catholics", within: "DE-BY",
		note: "most municipalities, such as München and Würzburg; not Nürnberg, Fürth and Erlangen", rules: []rule{assumption}},
	{code: "DE-BY-AUGSBURG", name: "Augsburg", within: "DE-BY-KATH", note: "the city only", rules: []rule{
		on("Augsburger Hohes Friedensfest", fixed(time.August, 8))}},
	{code: "DE-BE", name: "Berlin", within: "DE", rules: []rule{
		womensDay.since(2019),
		on("Tag der Befreiung", fixed(time.May, 8)).only(2020),
		on("Tag der Befreiung", fixed(time.May, 8)).only(2025),
		on("Jahrestag des Aufstandes vom 17. Juni 1953", fixed(time.June, 17)).only(2028),
	}},
	{code: "DE-BB", name: "Brandenburg", within: "DE", rules: []rule{
		on("Ostersonntag", easter(0)), on("Pfingstsonntag", easter(49)), reformation}},
	{code: "DE-HB", name: "Bremen", within: "DE", rules: []rule{reformation.since(2018)}},
	{code: "DE-HH", name: "Hamburg", within: "DE", rules: []rule{reformation.since(2018)}},
	{code: "DE-HE", name: "Hesse", within: "DE", rules: []rule{corpusChristi}},
	{code: "DE-MV", name: "Mecklenburg-Western Pomerania", within: "DE", rules: []rule{womensDay.since(2023), reformation}},
	{code: "DE-NI", name: "Lower Saxony", within: "DE", rules: []rule{reformation.since(2018)}},
	{code: "DE-NW", name: "North Rhine-Westphalia", within: "DE", rules: []rule{corpusChristi, allSaints}},
	{code: "DE-RP", name: "Rhineland-Palatinate", within: "DE", rules: []rule{corpusChristi, allSaints}},
	{code: "DE-SL", name: "Saarland", within: "DE", rules: []rule{corpusChristi, assumption, allSaints}},
	{code: "DE-SN", name: "Saxony", within: "DE", note: "without Fronleichnam, which a few municipalities keep", rules: []rule{
		reformation, on("Buß- und Bettag", wednesdayBefore(time.November, 23))}},
	{code: "DE-ST", name: "Saxony-Anhalt", within: "DE", rules: []rule{epiphany, reformation}},
	{code: "DE-SH", name: "Schleswig-Holstein", within: "DE", rules: []rule{reformation.since(2018)}},
	{code: "DE-TH", name: "Thuringia", within: "DE", note: "without Fronleichnam, which some municipalities keep", rules: []rule{
		on("Weltkindertag", fixed(time.September, 20)).since(2019), reformation}},
}

var austria = []region{
	{code: "AT", name: "Austria", note: "without the days of the states' patron saints", rules: []rule{
		on("Neujahr", fixed(time.January, 1)),
		epiphany,
		on("Ostermontag", easter(1)),
		on("Staatsfeiertag", fixed(time.May, 1)),
		on("Christi Himmelfahrt", easter(39)),
		on("Pfingstmontag", easter(50)),
		corpusChristi,
		assumption,
		on("Nationalfeiertag", fixed(time.October, 26)),
		allSaints,
		on("Mariä Empfängnis", fixed(time.December, 8)),
		on("Christtag", fixed(time.December, 25)),
		on("Stefanitag", fixed(time.December, 26)),
	}},
}

var switzerland = []region{
	{code: "CH", name: "Switzerland", note: "1 August is federal law; the three others are kept by all cantons", rules: []rule{
		on("Neujahr", fixed(time.January, 1)),
		on("Auffahrt", easter(39)),
		on("Bundesfeier", fixed(time.August, 1)),
		on("Weihnachten", fixed(time.December, 25)),
	}},
	{code: "CH-ZH", name: "Canton of Zurich", within: "CH", note: "without half days such as Sechseläuten", rules: []rule{
		on("Karfreitag", easter(-2)),
		on("Ostermontag", easter(1)),
		on("Tag der Arbeit", fixed(time.May, 1)),
		on("Pfingstmontag", easter(50)),
		on("Stephanstag", fixed(time.December, 26)),
	}},
}

// Holidays that several parts of the United Kingdom keep.
var (
	newYearSubstitute = substitute(time.January, 1).standsFor("New Year's Day")
	easterMonday      = on("Easter Monday", easter(1))
	summerBank        = on("Summer bank holiday", monday(time.August, -1))
)

var unitedKingdom = []region{
	{code: "GB", name: "United Kingdom", note: "only what all parts keep; holidays at a weekend count besides their substitute days",
		rules: []rule{
			on("New Year's Day", fixed(time.January, 1)),
			on("Good Friday", easter(-2)),
			on("Early May bank holiday", moved(monday(time.May, 1), Date{2020, time.May, 8})),
			on("Spring bank holiday", moved(monday(time.May, -1),
				Date{2002, time.June, 4}, Date{2012, time.June, 4}, Date{2022, time.June, 2})),
			on("Golden Jubilee of Elizabeth II", fixed(time.June, 3)).only(2002),
			on("Wedding of Prince William", fixed(time.April, 29)).only(2011),
			on("Diamond Jubilee of Elizabeth II", fixed(time.June, 5)).only(2012),
			on("Platinum Jubilee of Elizabeth II", fixed(time.June, 3)).only(2022),
			on("State Funeral of Elizabeth II", fixed(time.September, 19)).only(2022),
			on("Coronation of Charles III", fixed(time.May, 8)).only(2023),
			on("Christmas Day", fixed(time.December, 25)),
			on("Boxing Day", fixed(time.December, 26)),
			substituteOfTwo(time.December, 25).standsFor("Christmas Day"),
			substituteOfTwo(time.December, 26).standsFor("Boxing Day"),
		}},
	{code: "GB-ENG", name: "England", within: "GB", rules: []rule{newYearSubstitute, easterMonday, summerBank}},
	{code: "GB-WLS", name: "Wales", within: "GB", rules: []rule{newYearSubstitute, easterMonday, summerBank}},
	{code: "GB-SCT", name: "Scotland", within: "GB", note: "the bank holidays; local ones differ by town", rules: []rule{
		substituteOfTwo(time.January, 1).standsFor("New Year's Day"),
		on("2nd January", fixed(time.January, 2)),
		substituteOfTwo(time.January, 2).standsFor("2nd January"),
		on("World Cup bank holiday", fixed(time.June, 15)).only(2026),
		on("Summer bank holiday", monday(time.August, 1)),
		on("St Andrew's Day", fixed(time.November, 30)).since(2007),
		substitute(time.November, 30).standsFor("St Andrew's Day").since(2007),
	}},
	{code: "GB-NIR", name: "Northern Ireland", within: "GB", rules: []rule{
		newYearSubstitute,
		on("St Patrick's Day", fixed(time.March, 17)),
		substitute(time.March, 17).standsFor("St Patrick's Day"),
		easterMonday,
		on("Battle of the Boyne", fixed(time.July, 12)),
		substitute(time.July, 12).standsFor("Battle of the Boyne"),
		summerBank,
	}},
}
