# What Doxygen sees of a contract: its functions and structs as one group, whose text is the file's, so that a lab has one
# page of them, and no second one for the file. Lines move down by one, and so do those in warnings.
#   awk -f group.awk labs/NN_name/name.hpp
FNR == 1 {
  count = split(FILENAME, parts, "/")
  lab = parts[count - 1]
  group = "contract_" lab
}
/^\/\/\/ @file$/ { print "/// @defgroup " group " Lab " substr(lab, 1, 2) ": " parts[count]; next }
/^namespace latent {$/ { print "namespace latent { /** @addtogroup " group "\n@{ */"; next }
/^}  \/\/ namespace latent$/ { print "/** @} */ }"; next }
{ print }
