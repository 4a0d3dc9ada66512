//! The sizes of teams as a text, to try on a kind of device that gumbel does not know.

use gumbel::Teams;

use crate::error::Error;

/// Reads NAME=N pairs with commas between them. Sizes that are not named are those for a GPU.
///
/// # Errors
/// [`Error::Teams`] for another name, or for a value that is no number.
pub fn teams(text: &str) -> Result<Teams, Error> {
    let mut teams = Teams::HARDWARE;
    for part in text.split(',') {
        let wrong = |what: String| Error::Teams { text: part.to_owned(), what };
        let (name, number) =
            part.trim().split_once('=').ok_or_else(|| wrong("there is no = in it".to_owned()))?;
        let n: u32 = number.parse().map_err(|_| {
            wrong(format!("\"{number}\" is no whole number from 0 to {}", u32::MAX))
        })?;
        match name {
            "team" => teams.team = n,
            "shared-workgroup" => teams.shared_workgroup = n,
            "alone-octets" => teams.alone_octets = n as usize,
            "octets-per-lane" => teams.octets_per_lane = n as usize,
            "busy-invocations" => teams.busy_invocations = n as usize,
            "holds-logits" => teams.holds_logits = n != 0,
            _ => {
                return Err(wrong(format!(
                    "\"{name}\" is none of team, shared-workgroup, alone-octets, octets-per-lane, busy-invocations, holds-logits"
                )));
            }
        }
    }
    Ok(teams)
}

/// Returns the text that [`teams`] reads.
pub(crate) fn text(teams: Teams) -> String {
    let Teams {
        team,
        shared_workgroup,
        alone_octets,
        octets_per_lane,
        busy_invocations,
        holds_logits,
    } = teams;
    format!(
        "team={team},shared-workgroup={shared_workgroup},alone-octets={alone_octets},octets-per-lane={octets_per_lane},\
         busy-invocations={busy_invocations},holds-logits={}",
        u32::from(holds_logits)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teams_are_read_and_shown() {
        let read = teams("team=256, busy-invocations=131072,holds-logits=0").unwrap();
        let expected =
            Teams { team: 256, busy_invocations: 131_072, holds_logits: false, ..Teams::HARDWARE };
        assert_eq!(read, expected);
        let all = "team=1,shared-workgroup=2,alone-octets=3,octets-per-lane=4,busy-invocations=5,holds-logits=1";
        assert_eq!(text(teams(all).unwrap()), all);
    }

    #[test]
    fn what_is_no_team_is_refused_by_name() {
        for (part, what) in [
            ("", "there is no = in it"),
            ("team", "there is no = in it"),
            ("team=", "\"\" is no whole number from 0 to 4294967295"),
            ("team=-1", "\"-1\" is no whole number from 0 to 4294967295"),
            (
                "lanes=3",
                "\"lanes\" is none of team, shared-workgroup, alone-octets, octets-per-lane, busy-invocations, holds-logits",
            ),
        ] {
            let error = teams(&format!("shared-workgroup=4,{part}")).unwrap_err().to_string();
            assert_eq!(error, format!("\"{part}\" says nothing of teams: {what}"));
        }
    }
}
